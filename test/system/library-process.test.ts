import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("the library runs from text on Node's command line, whose flags are not those of its workers", async () => {
  const script = `
    import { loadModel } from "./dist/index.js";
    const model = await loadModel("test/goldens/arch/gpt2", { threads: 1 });
    console.log((await model.forward([1, 2])).hidden.length / model.hiddenSize);
    await model.close();`;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  expect((await run).stdout).toBe("2\n");
});
