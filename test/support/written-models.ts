import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { ReducedHead } from "../../src/model/head/reduced-head.js";
import { type Model, openModel } from "../../src/model/model.js";
import { createEngine } from "../../src/node/engine/onnx-engine.js";
import { openFolder } from "../../src/node/files/file-source.js";
import { defaultModel } from "../../src/node/load-model.js";
import { readTensor } from "../../src/tensor/safetensors/safetensors.js";

/** A temporary folder for the models that a test file writes, and those that it loads: gone after its tests. */
export function writtenModels() {
  // One for all models: to start one takes as long as a small model's run.
  const engine = createEngine({ threads: 1 });
  const models = {
    folder: "",
    load: (name: string): Promise<Model> =>
      openModel(openFolder(name === defaultModel ? join("assets", defaultModel) : name), engine, name),
  };
  beforeAll(async () => {
    models.folder = await mkdtemp(join(tmpdir(), "unembed-written-"));
  });
  afterAll(async () => {
    await engine.close();
    await rm(models.folder, { recursive: true });
  });
  return models;
}

/** Two rows of E moved, in numbers that E's type holds. */
export async function movedRows({ head, hiddenSize: d }: Model) {
  const ids = Int32Array.of(3, 17);
  const e = await readTensor(head.weight);
  const moved = Float64Array.from({ length: 2 * d }, (_, i) => e[ids[Math.floor(i / d)]! * d + (i % d)]! + 0.25);
  return { ids, values: moved };
}

/** To float32's digits, of the largest. */
export function expectClose(found: Float32Array, wanted: Float32Array, tolerance = 1e-5): void {
  expect(found.length).toBe(wanted.length);
  let [largest, furthest] = [0, 0];
  for (const [at, value] of wanted.entries()) {
    const distance = Math.abs(value - found[at]!);
    largest = Math.max(largest, Math.abs(value));
    furthest = Math.max(furthest, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
  }
  expect(furthest).toBeLessThan(tolerance * largest);
}

/** F P h + b' and the transform, in float64. */
export function reducedLogitsOf(
  { head, vocabSize: V, hiddenSize: d }: Model,
  reduced: ReducedHead,
  hidden: Float32Array,
) {
  const { kept, coordinates, projection, factor, bias } = reduced;
  const { scale = 1, softCap } = head.transform;
  const logits = new Float32Array((hidden.length / d) * V);
  for (let t = 0; t < hidden.length / d; t++) {
    const part = Array.from({ length: kept }, (_, j) => {
      if (coordinates !== undefined) return hidden[t * d + coordinates[j]!]!;
      return projection!.subarray(j * d, (j + 1) * d).reduce((sum, p, i) => sum + p * hidden[t * d + i]!, 0);
    });
    for (let w = 0; w < V; w++) {
      const z = scale * part.reduce((sum, x, j) => sum + x * factor[w * kept + j]!, bias[w]!);
      logits[t * V + w] = softCap === undefined ? z : softCap * Math.tanh(z / softCap);
    }
  }
  return logits;
}

/** The same with exact logits, E h + b and the transform, for the likeliest tokens that are rescored. */
export async function rescoredLogitsOf(model: Model, reduced: ReducedHead, hidden: Float32Array) {
  const { vocabSize: V, hiddenSize: d } = model;
  const preview = reducedLogitsOf(model, reduced, hidden);
  const exact = await model.logits(hidden);
  for (let t = 0; t < hidden.length / d; t++) {
    const of = (w: number) => preview[t * V + w]!;
    const likeliest = Array.from({ length: V }, (_, w) => w).sort((a, b) => of(b) - of(a));
    for (const w of likeliest.slice(0, reduced.rescore ?? 0)) preview[t * V + w] = exact[t * V + w]!;
  }
  return preview;
}

/** A config as it is written with a head of its own. @param wanted as the original has it */
export function untied(wanted: Record<string, unknown>): Record<string, unknown> {
  const inner = wanted.text_config;
  const no = { tie_word_embeddings: false };
  return { ...wanted, ...no, ...(typeof inner === "object" ? { text_config: { ...inner, ...no } } : {}) };
}
