// Runs a command with a graphics card made of software: Mesa's lavapipe, which WebGPU computes on where there is no card.
// Debian 12's own is too old; that of its backports is unpacked into tools/lavapipe, and nothing is installed for good
// but libraries that it needs where they are missing.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../tools/lavapipe", import.meta.url));
const libraries = join(folder, "root/usr/lib/x86_64-linux-gnu");
const driver = join(folder, "lvp.json");
const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";

const [command, ...args] = process.argv.slice(2);
const canInstall = process.platform === "linux" && process.arch === "x64" && existsSync("/usr/bin/apt-get");
if (!existsSync(driver) && canInstall) install();
if (!existsSync(driver)) console.error("No software Vulkan for this system: tests of WebGPU need a card of your own.");
const { status } = spawnSync(command, args, {
  stdio: "inherit",
  env: { ...process.env, ...(existsSync(driver) && environment()) },
  shell: process.platform === "win32",
});
process.exit(status ?? 1);

function environment() {
  const path = [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return { LD_LIBRARY_PATH: path, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, UNEMBED_TEST_WEBGPU: "1" };
}

function install() {
  console.error("unembed: unpacking lavapipe (Mesa's software Vulkan) into tools/lavapipe");
  const lists = join(folder, "lists");
  const debs = join(folder, "debs");
  for (const path of [join(lists, "partial"), debs]) mkdirSync(path, { recursive: true });
  const source = join(folder, "backports.list");
  writeFileSync(source, `deb [signed-by=${keys}] ${mirror()} bookworm-backports main\n`);
  const backports = [
    `-oDir::Etc::SourceList=${source}`,
    "-oDir::Etc::SourceParts=/dev/null",
    `-oDir::State::Lists=${lists}`,
  ];
  apt([...backports, "-qq", "update"]);
  apt([...backports, "-qq", "download", "mesa-vulkan-drivers"], debs);
  // The loader and one library of Debian's own.
  apt(["-qq", "update"]);
  apt(["-qq", "download", "libvulkan1", "libdrm-amdgpu1"], debs);
  for (const name of readdirSync(debs)) run("dpkg", ["-x", join(debs, name), join(folder, "root")]);
  const library = join(libraries, "libvulkan_lvp.so");
  // What Debian's older package needs, this one does too.
  if (missingLibraries(library)) apt(["-y", "-qq", "install", "mesa-vulkan-drivers"]);
  const { ICD, ...rest } = JSON.parse(readFileSync(join(folder, "root/usr/share/vulkan/icd.d/lvp_icd.json"), "utf8"));
  // Last and at once: its presence says that all is there.
  writeFileSync(`${driver}.new`, JSON.stringify({ ...rest, ICD: { ...ICD, library_path: library } }));
  renameSync(`${driver}.new`, driver);
  for (const path of [lists, debs, source]) rmSync(path, { recursive: true });
}

/** Where this machine's own packages of Debian come from. */
function mirror() {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const text = ["/etc/apt/sources.list", ...files].filter(existsSync).map((path) => readFileSync(path, "utf8"));
  return /https?:\/\/\S+\/debian(?=\/?\s)/.exec(text.join("\n"))?.[0] ?? "http://deb.debian.org/debian";
}

function missingLibraries(library) {
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  return spawnSync("ldd", [library], { encoding: "utf8", env }).stdout.includes("not found");
}

function apt(args, cwd = folder) {
  run("apt-get", args, cwd);
}

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status === 0) return;
  console.error(`unembed: ${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
  process.exit(1);
}
