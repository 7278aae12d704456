// Installs llama.cpp for the tests that run in it (tools/llama-cpp): without the binaries for graphics cards, 83 MB instead of 732.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./setup.js";

const folder = fileURLToPath(new URL("../tools/llama-cpp", import.meta.url));

/** Packages with binaries that need no graphics card, by Node's names of platforms. */
const binaries = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "linux-arm": "linux-armv7l",
  "linux-riscv64": "linux-riscv64",
  "darwin-arm64": "mac-arm64-metal",
  "darwin-x64": "mac-x64",
  "win32-x64": "win-x64",
  "win32-arm64": "win-arm64",
};
const binary = binaries[`${process.platform}-${process.arch}`];

if (binary === undefined) {
  console.error(`No llama.cpp is built for ${process.platform} on ${process.arch}: its tests are skipped.`);
} else {
  install(folder);
  const { version } = JSON.parse(readFileSync(join(folder, "node_modules/node-llama-cpp/package.json"), "utf8"));
  const name = `@node-llama-cpp/${binary}`;
  if (!existsSync(join(folder, "node_modules", name))) npmInstall(`${name}@${version}`);
}

function npmInstall(wanted) {
  const cli = process.env.npm_execpath;
  const [command, args] = cli ? [process.execPath, [cli]] : ["npm", []];
  const { status } = spawnSync(command, [...args, "install", "--no-save", wanted], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: command === "npm" && process.platform === "win32",
  });
  if (status !== 0) process.exit(1);
}
