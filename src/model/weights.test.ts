import { describe, expect, it } from "vitest";
import { bytesSource } from "../tensor/byte-source.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { config } from "./config.js";
import { embeddings, perLayer, weights } from "./weights.js";

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

describe("embeddings", () => {
  const found = (fields: Record<string, unknown>, tied: boolean, ...tensors: TensorEntry[]) =>
    embeddings(
      config("config.json", fields),
      weights("weights", new Map(tensors.map((each) => [each.name, each])), ["model.", ""]),
      { input: "embed.weight", output: "lm_head.weight", tied },
      [3, 2],
    );

  it("are one where the config or the family ties them and one is stored, whichever it is", () => {
    const one = { embedding, head: embedding };
    expect(found({ tie_word_embeddings: true }, false, embedding)).toEqual(one);
    expect(found({}, true, embedding)).toEqual(one);
    const norm = tensor("model.norm.weight", [2]);
    expect(found({}, true, norm, own)).toEqual({ embedding: { ...own, name: "model.embed.weight" }, head: own });
    expect(found({}, true, own).embedding.name).toBe("embed.weight");
  });

  it("are two where two are stored, tied or not", () => {
    expect(found({ tie_word_embeddings: true }, true, embedding, own)).toEqual({ embedding, head: own });
    expect(found({ tie_word_embeddings: false }, true, embedding, own)).toEqual({ embedding, head: own });
  });

  it("are refused where one must be stored and is not, or has another shape", () => {
    expect(() => found({ tie_word_embeddings: false }, true, embedding)).toThrow(
      'weights: tensor "lm_head.weight" is missing, and "tie_word_embeddings" in config.json is false: set it to true if the ' +
        'model uses "embed.weight" for both, or complete the checkpoint',
    );
    expect(() => found({}, false, own)).toThrow(
      'tensor "embed.weight" is missing, and "tie_word_embeddings" in config.json is not there, which means false: set it',
    );
    expect(() => found({}, true)).toThrow(/weights: tensor "model\.embed\.weight" or "embed\.weight" is missing/);
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
