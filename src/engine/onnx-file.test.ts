import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { expect, test } from "vitest";
import { bytesSource } from "../tensor/byte-source.js";
import type { DType } from "../tensor/dtype.js";
import { createGraph } from "./graph.js";
import { type Chunks, embeddedModel, modelWithData } from "./onnx-file.js";

function weight(name: string, dtype: DType, shape: number[], byteLength: number, offset = 3) {
  const bytes = Uint8Array.from({ length: offset + byteLength }, (_, i) => (7 * i + name.length) % 251);
  return { name, dtype, shape, offset, byteLength, source: bytesSource(name, bytes) };
}

async function collect(chunks: Chunks): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

function example() {
  const weights = [
    weight("half", "F16", [2, 3], 12),
    weight("single", "F32", [5], 20, 0),
    // More than one chunk.
    weight("large", "F32", [1100, 2000], 8_800_000),
  ];
  const graph = createGraph("example");
  const x = graph.input("x", "float32", ["rows", 5]);
  for (const each of weights) graph.output(graph.weightFloat32(each), each.name.toUpperCase(), "float32", each.shape);
  graph.output(graph.op("Add", [x, graph.constant(Float32Array.of(1))]), "y", "float32", ["rows", 5]);
  return { graph, weights };
}

const bytesOf = (entry: ReturnType<typeof weight>) => entry.source.read(entry.offset, entry.byteLength);

test("weights inside the file are read back by the protobuf library", async () => {
  const { graph, weights } = example();
  const model = fromBinary(ModelProtoSchema, await collect(embeddedModel(graph)));
  const pointing = fromBinary(
    ModelProtoSchema,
    graph.encode(() => ({ location: "elsewhere", offset: 0 })),
  );
  expect({ ...model, graph: undefined }).toEqual({ ...pointing, graph: undefined });
  expect(model.graph?.node).toEqual(pointing.graph?.node);
  expect(model.graph?.input).toEqual(pointing.graph?.input);
  expect(model.graph?.output).toEqual(pointing.graph?.output);
  const [constant, ...initializers] = model.graph!.initializer;
  expect(constant?.name).toMatch(/^constant_/);
  expect(initializers.map(({ name, dims, dataType }) => ({ name, dims, dataType }))).toEqual([
    { name: "half", dims: [2n, 3n], dataType: 10 },
    { name: "single", dims: [5n], dataType: 1 },
    { name: "large", dims: [1100n, 2000n], dataType: 1 },
  ]);
  for (const [index, each] of weights.entries()) {
    expect(Buffer.compare(initializers[index]!.rawData, await bytesOf(each))).toBe(0);
  }
});

test("weights beside the file lie where it says, each at the start of a page", async () => {
  const { graph, weights } = example();
  const { model, data } = modelWithData(graph, "weights.bin");
  const bytes = await collect(data);
  const initializers = fromBinary(ModelProtoSchema, model).graph!.initializer.slice(1);
  for (const [index, each] of weights.entries()) {
    const place = Object.fromEntries(initializers[index]!.externalData.map(({ key, value }) => [key, value]));
    expect(place).toEqual({ location: "weights.bin", offset: `${4096 * index}`, length: `${each.byteLength}` });
    const found = bytes.subarray(4096 * index, 4096 * index + each.byteLength);
    expect(Buffer.compare(found, await bytesOf(each))).toBe(0);
  }
  expect(bytes.length).toBe(2 * 4096 + 8_800_000);
});
