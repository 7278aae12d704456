import { describe, expect, it } from "vitest";
import { bytesSource } from "../tensor/byte-source.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { config } from "./config.js";
import { outputEmbedding, perLayer, weights } from "./weights.js";

const source = bytesSource("weights", new Uint8Array(64));
const tensor = (name: string, shape: number[], offset = 0): TensorEntry => ({
  name,
  shape,
  dtype: "F32",
  source,
  offset,
  byteLength: 4 * shape.reduce((count, size) => count * size, 1),
});
const embedding = tensor("model.embed.weight", [3, 2]);
const own = tensor("lm_head.weight", [3, 2], 24);

describe("outputEmbedding", () => {
  const found = (fields: Record<string, unknown>, tied: boolean, ...tensors: TensorEntry[]) =>
    outputEmbedding(
      config("config.json", fields),
      weights("weights", new Map(tensors.map((each) => [each.name, each])), ["model.", ""]),
      { name: "lm_head.weight", embedding, tied },
    );

  it("is the input embedding where the config or the family ties it and nothing else is stored", () => {
    expect(found({ tie_word_embeddings: true }, false, embedding)).toBe(embedding);
    expect(found({}, true, embedding)).toBe(embedding);
  });

  it("is the stored head where there is one, tied or not", () => {
    expect(found({ tie_word_embeddings: true }, true, embedding, own)).toBe(own);
    expect(found({ tie_word_embeddings: false }, true, embedding, own)).toBe(own);
  });

  it("is refused where it must be stored and is not, or has another shape", () => {
    expect(() => found({ tie_word_embeddings: false }, true, embedding)).toThrow(
      /weights: tensor "model\.lm_head\.weight" or "lm_head\.weight" is missing/,
    );
    expect(() => found({}, false, embedding, tensor("lm_head.weight", [4, 2]))).toThrow(
      /shape \[4, 2\] where the config says \[3, 2\]/,
    );
  });
});

it("perLayer ends at the first layer that is not there, however many are promised", () => {
  const described: number[] = [];
  const describeLayer = (index: number) => {
    if (index === 2) throw new Error("tensor of layer 2 is missing");
    described.push(index);
  };
  expect(() => perLayer(Number.MAX_SAFE_INTEGER, describeLayer)).toThrow("layer 2");
  expect(described).toEqual([0, 1]);
});
