import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors.js";

/**
 * What to say of a worker that could not start. onnxruntime-node is an optional dependency: npm leaves it out, without a
 * word, where its install script fails (docs/install.md), and it has no build for some machines.
 * @param error what stopped the worker
 * @param installed path of a file of this package, by which the folder that it was installed into is found
 * @returns an InputError that says what to do, or the error itself if it is about something else
 */
export function explainStart(error: Error, installed = fileURLToPath(import.meta.url)): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_MODULE_NOT_FOUND" && error.message.includes("'onnxruntime-node'")) {
    return new InputError(
      "onnxruntime-node",
      `the engine is not installed, perhaps because its install script could not fetch CUDA libraries that unembed does not use; to install it without that script: ${repair(installed)}`,
      { cause: error },
    );
  }
  if (code === "ERR_DLOPEN_FAILED" || (code === "MODULE_NOT_FOUND" && error.message.includes("onnxruntime_binding"))) {
    const [reason] = error.message.split("\n");
    return new InputError(
      "onnxruntime-node",
      `the engine has no build that runs on this machine (${process.platform}/${process.arch}): ${reason}`,
      { cause: error },
    );
  }
  return error;
}

/** The command that brings the engine back, by where this package lies: a project, npx's cache, a global folder, a clone. */
function repair(installed: string): string {
  const modules = `${sep}node_modules${sep}`;
  const end = installed.indexOf(modules);
  if (end < 0) return "npm ci";
  const folder = installed.slice(0, end);
  return existsSync(join(folder, "package.json"))
    ? `npm install --ignore-scripts --prefix ${JSON.stringify(folder)}`
    : "npm install --global --ignore-scripts unembedding";
}
