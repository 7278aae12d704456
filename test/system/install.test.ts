import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

// The package as a user gets it: packed here, installed into an empty folder, run from there. Needs npm's registry, or its
// cache with the packages in it.

const folder = realpathSync(mkdtempSync(join(tmpdir(), "unembed-install-")));
const home = join(folder, "empty");
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

/** Without what an `npm test` around this hands on: the clone's own npm settings. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
/** onnxruntime-node's install script asks this proxy for its CUDA libraries, and nobody listens there. */
const unreachable = { ...environment, GLOBAL_AGENT_HTTPS_PROXY: "http://127.0.0.1:9" };

const run = (command: string, args: string[], cwd: string, env = environment) => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  return { status, stdout, stderr };
};
const unembed = (...args: string[]) =>
  run(process.execPath, ["node_modules/unembedding/bin/unembed.js", ...args], home);

const noRegistry = /npm error code (ENOTFOUND|ENOTCACHED|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN)/;

test("the tarball installs into an empty folder, also where the engine's install script fails, and runs there", (context) => {
  const packed = run("npm", ["pack", "--pack-destination", folder], ".");
  expect(packed.stderr).not.toMatch(/npm error/);
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
  mkdirSync(home);
  const installed = run("npm", ["install", "--prefer-offline", tarball], home, unreachable);
  if (noRegistry.test(installed.stderr))
    context.skip("npm can reach neither its registry nor the packages in its cache");
  expect(installed.stderr).not.toMatch(/npm error/);
  expect(installed.status).toBe(0);

  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(unembed("--version").stdout).toBe(`${version}\n`);

  // npm from 12 on runs no install scripts and keeps the engine; before, it leaves it out.
  if (!existsSync(join(home, "node_modules", "onnxruntime-node"))) {
    const without = unembed("analyze", "--tokens", "2000");
    expect(without.status).toBe(1);
    const command = `npm install --ignore-scripts --prefix ${JSON.stringify(home)}`;
    expect(without.stderr).toContain(`onnxruntime-node: the engine is not installed`);
    expect(without.stderr.trimEnd().endsWith(command)).toBe(true);
    const repaired = run("npm", ["install", "--ignore-scripts", "--prefer-offline", "--prefix", home], folder);
    expect(repaired.stderr).not.toMatch(/npm error/);
  }

  const analyzed = unembed("analyze", "--tokens", "2000", "--out", "first");
  expect(analyzed.stderr).not.toMatch(/unembed:/);
  expect(analyzed.status).toBe(0);
  expect(readdirSync(join(home, "first")).sort()).toEqual(
    expect.arrayContaining(["report.html", "run.json", "tensors.safetensors"]),
  );

  writeFileSync(
    join(home, "library.mjs"),
    'import { loadModel } from "unembedding";\n' +
      "const model = await loadModel();\n" +
      'const { logits } = await model.forward((await model.tokenizer()).encode("It was"), { logits: true });\n' +
      "console.log(logits.length % model.vocabSize);\n" +
      "await model.close();\n",
  );
  expect(run(process.execPath, ["library.mjs"], home)).toEqual({ status: 0, stdout: "0\n", stderr: "" });
  expect(existsSync(join(home, "node_modules", "unembedding", "docs", "install.md"))).toBe(true);
}, 600_000);
