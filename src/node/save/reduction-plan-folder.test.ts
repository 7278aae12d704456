import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Model } from "../../model/model.js";
import type { ReductionPlan } from "../../reduction/plan/reduction-plan.js";
import { loadModel } from "../load-model.js";
import { readReductionPlan, writeReductionPlan } from "./reduction-plan-folder.js";

let model: Model;
let folder: string;
beforeAll(async () => {
  model = await loadModel(undefined, { threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "unembed-plan-"));
});
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

function plan(changes: Partial<ReductionPlan> = {}): ReductionPlan {
  const [vocabSize, hiddenSize, kept] = [8192, 256, 2];
  return {
    schema: "unembed-reduction-plan",
    schemaVersion: 1,
    ...{ vocabSize, hiddenSize, order: "rotation", compensate: "least-squares", metric: "fisher", seed: 0 },
    ...{ contexts: 600, kept, deleted: hiddenSize - kept, warnings: [] },
    arrays: {
      factor: Float32Array.from({ length: vocabSize * kept }, (_, i) => i / 7),
      bias: Float32Array.from({ length: vocabSize }, (_, i) => -i),
      projection: Float32Array.from({ length: kept * hiddenSize }, (_, i) => i / 3),
    },
    ...changes,
  };
}

test("a plan comes back as it was", async () => {
  await writeReductionPlan(plan(), folder);
  const { arrays, ...fields } = await readReductionPlan(folder, model);
  const { arrays: written, ...given } = plan();
  expect(fields).toEqual(given);
  for (const [name, values] of Object.entries(written)) {
    expect(Buffer.from(arrays[name]!.buffer).equals(Buffer.from(values.buffer))).toBe(true);
  }
});

test("what does not fit is refused by file and field", async () => {
  const refused = async (problem: RegExp) => expect(readReductionPlan(folder, model)).rejects.toThrow(problem);
  await writeReductionPlan(
    plan({ hiddenSize: 128, arrays: { ...plan().arrays, projection: new Float32Array(256) } }),
    folder,
  );
  await refused(/reduction\.json: field vocabSize: the plan is for a head of 8192 x 128/);
  await writeReductionPlan(plan(), folder);
  const json = join(folder, "reduction.json");
  const text = await readFile(json, "utf8");
  await writeFile(json, text.replace('"kept": 2', '"kept": 3'));
  await refused(/reduction\.safetensors: tensor "factor" is F32 \[8192, 2\]; the plan needs F32 \[8192, 3\]/);
  await writeFile(json, text.replace('"rotation"', '"sideways"'));
  await refused(/reduction\.json: field order/);
  await writeFile(json, text);
  const arrays = join(folder, "reduction.safetensors");
  await writeFile(arrays, (await readFile(arrays)).subarray(0, 5000));
  await refused(/reduction\.safetensors/);
  const { bias } = plan().arrays;
  await writeReductionPlan(plan({ arrays: { ...plan().arrays, bias: bias!.with(5, Number.NaN) } }), folder);
  await refused(/reduction\.json: field bias: holds numbers that are not finite/);
});
