// Brings a clone into a runnable state: dependencies as in the lock file, dist/ as in src/.
// Plain JavaScript with Node's own modules only, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const buildStamp = join(root, "dist", ".built");
const sources = ["src", "scripts", "tsconfig.json", "tsconfig.build.json", "package.json"];

/** Installs and builds what is missing or out of date. @param {{ quiet?: boolean }} [options] */
export function setup({ quiet = false } = {}) {
  install(root, { quiet });
  const built = existsSync(buildStamp) ? statSync(buildStamp).mtimeMs : 0;
  if (sources.some((path) => newest(join(root, path)) > built)) {
    if (!quiet) console.error("unembed: building dist/");
    run(process.execPath, [join(root, "scripts", "build.js")]);
  }
}

/** Installs what a folder's lock file names, where something is missing. @param {string} folder @param {{ quiet?: boolean }} [options] */
export function install(folder, { quiet = false } = {}) {
  if (installed(folder)) return;
  if (!quiet) console.error("unembed: installing dependencies (npm ci)");
  run(...npm("ci"), folder);
}

/** Whether node_modules/ holds what the lock file asks for, by npm's own record; optional packages may be missing. */
function installed(folder) {
  const [wanted, present] = ["package-lock.json", "node_modules/.package-lock.json"].map((name) => {
    const path = join(folder, name);
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {};
  });
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    return path === "" || present[path]?.version === version || (optional && present[path] === undefined);
  });
}

/** npm as the one that is running us, or the one on the PATH. @returns {[string, string[]]} */
function npm(...args) {
  const cli = process.env.npm_execpath;
  return cli ? [process.execPath, [cli, ...args]] : ["npm", args];
}

/** Output goes to stderr: stdout belongs to the command that needed the set-up. */
function run(command, args, folder = root) {
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: command === "npm" && process.platform === "win32",
  });
  if (status !== 0) {
    console.error(`unembed: ${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
    process.exit(1);
  }
}

/** Newest change below a path, generated files left out. @param {string} path @returns {number} */
function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return path.endsWith(".generated.ts") ? 0 : info.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup();
