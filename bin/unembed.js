#!/usr/bin/env node
import { existsSync } from "node:fs";

// A clone has src/ beside dist/ and is brought up to date first; the published package has dist/ alone.
if (existsSync(new URL("../src", import.meta.url))) {
  const { setup } = await import("../scripts/setup.js");
  setup();
}
const { main } = await import("../dist/cli/main.js");
const code = await main(process.argv.slice(2));
// After Ctrl-C nothing is waited for any more, such as the rest of standard input.
if (code === 130) process.exit(code);
process.exitCode = code;
