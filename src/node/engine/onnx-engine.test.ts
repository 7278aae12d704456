import { afterAll, beforeAll, expect, it } from "vitest";
import { type Engine, float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import { changedHead } from "../../model/head/changed-head.js";
import { logits } from "../../model/head/head.js";
import { openModel } from "../../model/model.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import { openFolder } from "../files/file-source.js";
import { createEngine } from "./onnx-engine.js";

let engine: Engine;
beforeAll(() => {
  engine = createEngine({ threads: 2 });
});
afterAll(() => engine.close());

it("runs graphs whose weights lie partly on disk and partly in memory", async () => {
  // GPT-J's head has a bias; the changed rows are in memory, the bias stays on disk.
  const { head, hiddenSize: d, vocabSize } = await openModel(openFolder("test/goldens/arch/gptj"), engine, "gptj");
  expect(head.bias).toBeDefined();
  const values = Float64Array.from({ length: 2 * d }, (_, i) => Math.fround(Math.sin(i)));
  const changed = changedHead(head, { rows: { ids: Int32Array.of(3, 40), values } });
  const graph = createGraph("mixed");
  const h = graph.input("h", "float32", ["n", d]);
  graph.output(logits(graph, changed, h), "changed", "float32", ["n", vocabSize]);
  graph.output(logits(graph, head, h), "original", "float32", ["n", vocabSize]);
  expect(graph.sources.size).toBe(2);
  const session = await engine.load(graph);
  const hidden = Float32Array.from({ length: d }, (_, i) => Math.cos(i));
  const outputs = await session.run({ h: { type: "float32", data: hidden, dims: [1, d] } });
  const [before, after] = [float32Output(outputs, "original"), float32Output(outputs, "changed")];
  const bias = await readTensor(head.bias!);
  for (let id = 0; id < vocabSize; id++) {
    const row = [3, 40].indexOf(id);
    const wanted =
      row < 0 ? before[id]! : hidden.reduce((sum, value, i) => sum + value * values[row * d + i]!, bias[id]!);
    expect(Math.abs(after[id]! - wanted)).toBeLessThan(1e-5);
  }
  await session.release();
});

it("takes over what it is handed, and leaves the rest", async () => {
  const graph = createGraph("sum");
  const [a, b] = ["a", "b"].map((name) => graph.input(name, "float32", ["n"]));
  graph.output(graph.op("Add", [a, b]), "sum", "float32", ["n"]);
  const session = await engine.load(graph);
  const [given, kept] = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
  const tensor = (data: Float32Array) => ({ type: "float32" as const, data, dims: [2] });
  const outputs = await session.run({ a: tensor(given), b: tensor(kept) }, ["a"]);
  expect(Array.from(float32Output(outputs, "sum"))).toEqual([4, 6]);
  expect([given.length, kept.length]).toEqual([0, 2]);
  await session.release();
});
