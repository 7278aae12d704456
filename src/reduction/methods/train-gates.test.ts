import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../../engine/engine.js";
import { type Random, seededRandom } from "../../linalg/random.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { createEngine } from "../../node/engine/onnx-engine.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import { hiddenMoments } from "./output-moments.js";
import { trainGates } from "./train-gates.js";

const V = 40;
const contexts = 2000;
let engine: Engine;
beforeAll(() => {
  engine = createEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** Of variance 1. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A head whose columns are this large, on hidden states that are independent but for what `tie` does to them. */
async function subjectOf(
  sizes: readonly number[],
  { tie = () => {}, softCap }: { tie?: (h: Float32Array) => void; softCap?: number | undefined } = {},
) {
  const d = sizes.length;
  const random = seededRandom(4);
  const e = Float32Array.from({ length: V * d }, (_, at) => sizes[at % d]! * normal(random));
  const rows = memoryStore();
  for (let t = 0; t < contexts; t++) {
    const h = Float32Array.from({ length: d }, () => normal(random));
    tie(h);
    await rows.append(h);
  }
  const weight = memoryTensor("e", "F32", [V, d], e);
  const head = { weight, bias: undefined, transform: { softCap }, tied: false, vocabSize: V, hiddenSize: d };
  const stored = {
    ...{ count: contexts, hiddenSize: d, tokenIds: new Int32Array(contexts), windowStarts: Int32Array.of(0, contexts) },
    read: (start: number, end: number) => rows.read(start * d, end * d),
    release: () => rows.release(),
  };
  const subject = { head, engine, contexts: stored };
  return { subject, moments: await hiddenMoments(subject) };
}

const options = { steps: 300, batch: 128 };

test.each([undefined, 5])("what the output needs least goes first, with logits capped at %s", async (softCap) => {
  const sizes = [0.05, 1, 0.5, 0.05, 2, 0.6, 0.8, 0.05];
  const { subject, moments } = await subjectOf(sizes, { softCap });
  const deleted = Array.from(await trainGates(subject, moments, options));
  expect(deleted.slice().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(deleted.slice(0, 3).sort()).toEqual([0, 3, 7]);
  expect(deleted[7]).toBe(4);
});

test("a coordinate that never moves goes first", async () => {
  const tie = (h: Float32Array) => {
    h[2] = 3;
  };
  const { subject, moments } = await subjectOf([1, 1, 1, 1], { tie });
  expect((await trainGates(subject, moments, options))[0]).toBe(2);
});

test("the same seed gives the same order, another one another", async () => {
  const { subject, moments } = await subjectOf(Array.from({ length: 24 }, () => 0.5));
  const [one, again, other] = [3, 3, 4].map((seed) => trainGates(subject, moments, { ...options, seed }));
  expect(await again).toEqual(await one);
  expect(await other).not.toEqual(await one);
});
