import { afterAll, beforeAll, expect, it } from "vitest";
import { type Engine, float32Output } from "../../../engine/engine.js";
import { createGraph } from "../../../engine/graph.js";
import { createEngine } from "../../../node/engine/onnx-engine.js";
import { memoryTensor } from "../../../tensor/memory-tensor.js";
import { weights } from "../../weights.js";
import { expertWeights } from "./expert-weights.js";
import { gatedBy, mixture } from "./mixture.js";

let engine: Engine;
beforeAll(() => {
  engine = createEngine({ threads: 1 });
});
afterAll(() => engine.close());

const [count, d, inner] = [4, 3, 2];
const number = (seed: number) => Math.fround(Math.sin(17 * seed + 1));
const matrices = (from: number, size: number) =>
  Float32Array.from({ length: count * size }, (_, i) => number(from + i));
const gateUp = matrices(0, 2 * inner * d);
const down = matrices(500, d * inner);
const tokens = Float32Array.from({ length: 3 * d }, (_, i) => number(900 + i));
/** Nobody chooses expert 2; each token goes to two others. */
const chosen = [3, 0, 0, 1, 3, 1];
const shares = [0.75, 0.5, 0.25, 2, -1, 0.125];

/** sum share * W_down (relu(W_gate x) * W_up x), written out. */
function byHand(): number[] {
  return [0, 1, 2].flatMap((token) => {
    const x = tokens.subarray(token * d, (token + 1) * d);
    const sum = new Array<number>(d).fill(0);
    for (const slot of [2 * token, 2 * token + 1]) {
      const expert = chosen[slot]!;
      const row = (at: number) =>
        x.reduce((total, value, i) => total + value * gateUp[(2 * inner * expert + at) * d + i]!, 0);
      const inside = Array.from({ length: inner }, (_, i) => Math.max(0, row(i)) * row(inner + i));
      for (let i = 0; i < d; i++) {
        const out = inside.reduce((total, value, j) => total + value * down[(d * expert + i) * inner + j]!, 0);
        sum[i]! += shares[slot]! * out;
      }
    }
    return sum;
  });
}

it("adds up what the chosen experts make of each token, and leaves the others alone", async () => {
  // An expert that multiplied rows in vain would make NaN of them.
  const wild = { gateUp: gateUp.slice().fill(3e38, 2 * 2 * inner * d, 3 * 2 * inner * d), down };
  const tensors = new Map([
    ["gate_up", memoryTensor("gate_up", "F32", [count, 2 * inner, d], wild.gateUp)],
    ["down", memoryTensor("down", "F32", [count, d, inner], wild.down)],
  ]);
  const experts = expertWeights(weights("test", tensors), {
    count,
    d,
    inner,
    fused: { gateUp: "gate_up", down: "down" },
  });
  const graph = createGraph("mixture");
  const x = graph.input("x", "float32", ["batch", "time", d]);
  const routing = {
    chosen: graph.constant(BigInt64Array.from(chosen, BigInt), [3, 2]),
    shares: graph.constant(Float32Array.from(shares), [3, 2]),
    perToken: 2,
  };
  const y = mixture(graph, x, routing, { weights: experts, inner, gated: gatedBy("relu") });
  graph.output(y, "y", "float32", ["batch", "time", d]);
  const session = await engine.load(graph);
  const outputs = await session.run({ x: { type: "float32", data: tokens, dims: [1, 3, d] } });
  expect(outputs.y!.dims).toEqual([1, 3, d]);
  const found = float32Output(outputs, "y");
  byHand().forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 5);
  });
  await session.release();
});
