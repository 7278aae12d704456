#!/usr/bin/env node
import { existsSync } from "node:fs";

// A clone has src/ beside dist/ and is brought up to date first; the published package has dist/ alone.
if (existsSync(new URL("../src", import.meta.url))) {
  const { setup } = await import("../scripts/setup.js");
  setup();
}
const { main } = await import("../dist/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
