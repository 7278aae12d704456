// The API reference, docs/api/index.html, from the docstrings of what src/index.ts exports. It ends with an error where a
// name has no docstring. TypeDoc needs an older TypeScript than the one that compiles src/, so both lie in tools/typedoc.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install, setup } from "./setup.js";

const tools = fileURLToPath(new URL("../tools/typedoc", import.meta.url));

setup();
install(tools);
const typedoc = join(tools, "node_modules", "typedoc", "bin", "typedoc");
const { status } = spawnSync(process.execPath, [typedoc], { cwd: tools, stdio: "inherit" });
process.exitCode = status ?? 1;
