import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { explainStart } from "./explain-start.js";

const folder = mkdtempSync(join(tmpdir(), "unembed-explain-start-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As Node throws it: a message and a code. */
const failure = (code: string, message: string) => Object.assign(new Error(message), { code });
const missing = failure("ERR_MODULE_NOT_FOUND", "Cannot find package 'onnxruntime-node' imported from /x/worker.js");

test("where the engine was left out of a project, the command that brings it back is named", () => {
  mkdirSync(join(folder, "project"));
  writeFileSync(join(folder, "project", "package.json"), "{}");
  const file = join(folder, "project", "node_modules", "unembedding", "dist", "node", "engine", "explain-start.js");
  const error = explainStart(missing, file);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(/^onnxruntime-node: the engine is not installed/);
  expect(error.message).toContain(`npm install --ignore-scripts --prefix "${join(folder, "project")}"`);
  expect(error.cause).toBe(missing);
});

test("a global folder has no package.json, and npm would empty it: the package is named there", () => {
  const file = join(folder, "lib", "node_modules", "unembedding", "dist", "node", "engine", "explain-start.js");
  expect(explainStart(missing, file).message).toMatch(/npm install --global --ignore-scripts unembedding$/);
});

test("in a clone npm ci installs it", () => {
  expect(explainStart(missing, join(folder, "dist", "explain-start.js")).message).toMatch(/: npm ci$/);
});

test("a machine that the engine has no build for is named", () => {
  const musl = "Error loading shared library ld-linux-x86-64.so.2: No such file or directory";
  for (const error of [
    failure("ERR_DLOPEN_FAILED", musl),
    failure(
      "MODULE_NOT_FOUND",
      "Cannot find module '../bin/napi-v6/sunos/x64/onnxruntime_binding.node'\nRequire stack:\n- x",
    ),
  ]) {
    const explained = explainStart(error);
    expect(explained).toBeInstanceOf(InputError);
    expect(explained.message).toContain(`no build that runs on this machine (${process.platform}/${process.arch}): `);
    expect(explained.message).toContain(error.message.split("\n")[0]);
    expect(explained.message).not.toContain("\n");
  }
});

test("other failures of a worker stay what they are", () => {
  const other = failure("ERR_MODULE_NOT_FOUND", "Cannot find package 'zod' imported from /x/worker.js");
  expect(explainStart(other)).toBe(other);
  const plain = new RangeError("out of memory");
  expect(explainStart(plain)).toBe(plain);
});
