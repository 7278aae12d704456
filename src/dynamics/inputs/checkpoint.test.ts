import { expect, test } from "vitest";
import { bytesSource } from "../../tensor/byte-source.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { findOutputEmbedding, sortedCheckpoints, stepOfName } from "./checkpoint.js";

test.each([
  ["steps/step1000", 1000],
  ["run/checkpoint-500/", 500],
  ["EleutherAI/pythia-70m@step512", 512],
  ["global_step20_hf", 20],
  ["v2/step-0007", 7],
  ["pythia-70m/main", undefined],
  ["org/model-7b@main", undefined],
])("the step of %s is %s", (name, step) => {
  expect(stepOfName(name)).toBe(step);
});

const source = bytesSource("memory", new Uint8Array(0));
const tensor = (name: string, shape: number[]): [string, TensorEntry] => [
  name,
  { name, dtype: "F32", shape, offset: 0, byteLength: 0, source },
];

test("a head of its own comes before the input embedding, and a name before both", () => {
  const tensors = new Map([tensor("model.embed_tokens.weight", [8, 2]), tensor("lm_head.weight", [8, 2])]);
  expect(findOutputEmbedding("here", tensors).name).toBe("lm_head.weight");
  expect(findOutputEmbedding("here", tensors, "model.embed_tokens.weight").name).toBe("model.embed_tokens.weight");
  expect(() => findOutputEmbedding("here", tensors, "other")).toThrow(/^here: has no tensor "other" \(it has "model/);
  expect(() => findOutputEmbedding("here", new Map([tensor("a", [2])]))).toThrow(
    expect.objectContaining({ remedy: "tensorName" }),
  );
  expect(() => findOutputEmbedding("here", new Map([tensor("lm_head.weight", [8])]))).toThrow(
    /where \[V, d\] is wanted/,
  );
});

test("checkpoints are sorted by step, each step once", () => {
  const at = (name: string, step: number) => ({
    name,
    step,
    outputEmbedding: () => Promise.reject(new Error("not opened")),
    tensors: () => Promise.reject(new Error("not opened")),
  });
  expect(sortedCheckpoints([at("b", 10), at("a", 9)]).map(({ name }) => name)).toEqual(["a", "b"]);
  expect(() => sortedCheckpoints([at("b", 10), at("a", 10)])).toThrow(/is of step 10, as .* is: give each step once/);
});
