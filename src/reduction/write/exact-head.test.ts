import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectClose, writtenModels } from "../../../test/support/written-models.js";
import { float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import { canHoldBias } from "../../export/edited-checkpoint.js";
import { seededRandom } from "../../linalg/random.js";
import { divergences } from "../../measures/divergence.js";
import { type StoredContexts, storeContexts } from "../../model/contexts/stored-contexts.js";
import { type ReducedHead, reducedLogits } from "../../model/head/reduced-head.js";
import { constantDirection, readFinalNorm } from "../../model/layers/constant-direction.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { saveModel } from "../../node/save/save-model.js";
import { readTensor, readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { exactHead } from "./exact-head.js";

const models = writtenModels();
const goldens = "test/goldens/arch";
const golden = (name: string) => join(goldens, name);

/** Every second column of E, and what bias is asked for. */
async function deletedColumns(model: Model, bias: "own" | "random"): Promise<ReducedHead> {
  const { vocabSize: V, hiddenSize: d, head } = model;
  const coordinates = Int32Array.from({ length: d / 2 }, (_, j) => 2 * j + 1);
  const e = await readTensor(head.weight);
  const kept = coordinates.length;
  return {
    ...{ kept, coordinates, projection: undefined },
    factor: Float32Array.from({ length: V * kept }, (_, at) => e[Math.floor(at / kept) * d + coordinates[at % kept]!]!),
    bias: await biasOf(model, bias),
  };
}

/** Directions drawn at random, and E on them. */
async function deletedDirections(model: Model): Promise<ReducedHead> {
  const { vocabSize: V, hiddenSize: d, head } = model;
  const random = seededRandom(5);
  const kept = d / 2;
  const projection = Float32Array.from({ length: kept * d }, () => (random() - 0.5) / Math.sqrt(d));
  const e = await readTensor(head.weight);
  const factor = new Float32Array(V * kept);
  for (let w = 0; w < V; w++) {
    for (let j = 0; j < kept; j++) {
      for (let i = 0; i < d; i++) factor[w * kept + j]! += e[w * d + i]! * projection[j * d + i]!;
    }
  }
  const bias = await biasOf(model, "random");
  return { kept, coordinates: undefined, projection, factor, bias };
}

async function biasOf({ head, vocabSize }: Model, bias: "own" | "random"): Promise<Float32Array> {
  const random = seededRandom(3);
  if (bias === "random") return Float32Array.from({ length: vocabSize }, () => 2 * random() - 1);
  return head.bias ? Float32Array.from(await readTensorFloat64(head.bias)) : new Float32Array(vocabSize);
}

const idsOf = ({ vocabSize }: Model) => Array.from({ length: 16 }, (_, i) => (i * 7 + 1) % vocabSize);

/** What the reduced head makes of the model's own hidden states. */
async function wantedLogits(model: Model, reduced: ReducedHead): Promise<Float32Array> {
  const { hidden } = await model.forward(idsOf(model));
  const graph = createGraph("wanted");
  // Unrounded: the head's number type is float32 for this graph.
  const head = { ...model.head, weight: { ...model.head.weight, dtype: "F32" as const } };
  const z = reducedLogits(graph, head, reduced, graph.input("hidden", "float32", ["n", model.hiddenSize]));
  graph.output(z, "logits", "float32", ["n", model.vocabSize]);
  const session = await model.engine.load(graph);
  const dims = [hidden.length / model.hiddenSize, model.hiddenSize];
  return float32Output(await session.run({ hidden: { type: "float32", data: hidden, dims } }), "logits");
}

async function writtenLogits(model: Model, name: string, change: Parameters<typeof saveModel>[1]) {
  const out = join(models.folder, name);
  await saveModel(model, change, out);
  const written = await models.load(out);
  const { logits, hidden } = await written.forward(idsOf(model), { logits: true });
  expect(hidden).toEqual((await model.forward(idsOf(model))).hidden);
  return { written, logits: logits! };
}

describe("every architecture", () => {
  test.each(readdirSync(goldens))("%s gives the reduced head's logits when its folder is loaded", async (name) => {
    const model = await models.load(golden(name));
    const plain = await deletedColumns(model, "own");
    const { change, biasPlace } = await exactHead(model, plain);
    expect(biasPlace).toBe("none");
    const { written, logits } = await writtenLogits(model, `${name} plain`, change);
    expectClose(logits, await wantedLogits(model, plain));
    const e = await readTensor(written.head.weight);
    expect(e.filter((value, at) => (at % model.hiddenSize) % 2 === 0 && value !== 0)).toHaveLength(0);

    const norm = await readFinalNorm(model.description);
    const holdsBias = canHoldBias(model) || (norm !== undefined && constantDirection(norm) !== undefined);
    for (const reduced of [await deletedColumns(model, "random"), await deletedDirections(model)]) {
      if (!holdsBias) {
        await expect(exactHead(model, reduced)).rejects.toThrow(
          /has no output bias, and no LayerNorm .* into the kept columns.*; ONNX has a place$/,
        );
        continue;
      }
      const exact = await exactHead(model, reduced);
      expect(exact.biasPlace).toBe(canHoldBias(model) ? "bias" : "constant direction");
      const found = await writtenLogits(
        model,
        `${name} ${reduced.coordinates ? "coordinates" : "directions"}`,
        exact.change,
      );
      // Beside a bias of its own, E' is rounded to E's number type.
      const rounds = found.written.dtype !== "F32";
      expectClose(found.logits, await wantedLogits(model, reduced), rounds ? 1e-3 : 1e-4);
    }
  });
});

test("along the constant direction a float16 head is stored as float32, and says so to transformers", async () => {
  const model = await models.load("tiny-books");
  const reduced = await deletedColumns(model, "random");
  const { change, notes } = await exactHead(model, reduced);
  expect(notes.join(" ")).toMatch(/112 long; the deleted columns are multiples of the bias E is stored as F32/);
  const { written, logits } = await writtenLogits(model, "float32", change);
  expect([written.dtype, written.head.tied]).toEqual(["F32", false]);
  const wanted = await wantedLogits(model, reduced);
  expectClose(logits, wanted, 1e-4);
  // What it is stored as float32 for.
  const narrow = await writtenLogits(model, "float16", { weight: change.weight });
  expect(() => expectClose(narrow.logits, wanted, 1e-3)).toThrow();
  const { torch_dtype, dtype } = JSON.parse(await readFile(join(models.folder, "float32", "config.json"), "utf8"));
  expect([torch_dtype, dtype]).toContain("float32");
});

test("without a bias it is put into the kept columns, nearer than leaving it out", async () => {
  const model = await models.load(golden("llama_gqa"));
  const reduced = await deletedColumns(model, "random");
  const contexts = await contextsOf(model);
  const { change, biasPlace } = await exactHead(model, reduced, contexts);
  expect([biasPlace, change.bias]).toEqual(["nearly constant direction", undefined]);
  const { written, logits } = await writtenLogits(model, "without bias", change);
  const e = await readTensor(written.head.weight);
  expect(e.filter((value, at) => (at % model.hiddenSize) % 2 === 0 && value !== 0)).toHaveLength(0);
  const wanted = await wantedLogits(model, reduced);
  const left = await wantedLogits(model, { ...reduced, bias: new Float32Array(model.vocabSize) });
  expect(meanKl(wanted, logits, model.vocabSize)).toBeLessThan(0.7 * meanKl(wanted, left, model.vocabSize));
});

function meanKl(a: Float32Array, b: Float32Array, width: number): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += width) {
    sum += divergences(a.subarray(at, at + width), b.subarray(at, at + width)).kl;
  }
  return (sum * width) / a.length;
}

async function contextsOf(model: Model): Promise<StoredContexts> {
  async function* windows() {
    for (let i = 0; i < 16; i++)
      yield Int32Array.from({ length: 16 }, (_, t) => (i * 31 + t * 7 + 1) % model.vocabSize);
  }
  return storeContexts(model, windows(), memoryStore());
}
