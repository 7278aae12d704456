import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from "onnx-buf";
import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { type ByteSource, bytesSource } from "../tensor/byte-source.js";
import type { DType } from "../tensor/dtype.js";
import { createGraph } from "./graph.js";
import { type Chunks, embeddedModel, modelWithData } from "./onnx-file.js";
import { readOnnxWeights } from "./onnx-weights.js";

function weight(name: string, dtype: DType, shape: number[], byteLength: number) {
  const bytes = Uint8Array.from({ length: byteLength + 3 }, (_, i) => (7 * i + name.length) % 251);
  return { name, dtype, shape, offset: 3, byteLength, source: bytesSource(name, bytes) };
}

const weights = [
  weight("half", "F16", [2, 3], 12),
  weight("brain", "BF16", [4], 8),
  weight("single", "F32", [5], 20),
  weight("scalar", "F64", [], 8),
  weight("long", "F32", [300, 100], 120_000),
  weight("places", "I64", [2], 16),
];

function example() {
  const graph = createGraph("example");
  const x = graph.input("x", "float32", ["rows"]);
  for (const each of weights) graph.weight(each);
  graph.output(graph.op("Add", [x, graph.constant(Float32Array.of(1, 2))]), "y", "float32", ["rows"]);
  return graph;
}

async function collect(chunks: Chunks): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

const nothing = async () => undefined;
const bytesOf = async ({ source, offset, byteLength }: { source: ByteSource; offset: number; byteLength: number }) =>
  Buffer.from(await source.read(offset, byteLength));

async function expectWeights(found: Awaited<ReturnType<typeof readOnnxWeights>>) {
  expect([...found.keys()]).toEqual([expect.stringMatching(/^constant_/), ...weights.map(({ name }) => name)]);
  for (const wanted of weights) {
    const { name, dtype, shape } = found.get(wanted.name)!;
    expect({ name, dtype, shape }).toEqual({ name: wanted.name, dtype: wanted.dtype, shape: wanted.shape });
    expect((await bytesOf(found.get(wanted.name)!)).equals(await bytesOf(wanted)), name).toBe(true);
  }
}

test("weights inside an ONNX file are found where they lie", async () => {
  const file = bytesSource("model.onnx", await collect(embeddedModel(example())));
  await expectWeights(await readOnnxWeights(file, nothing));
});

test("weights beside an ONNX file are found in the file that it names", async () => {
  const { model, data } = modelWithData(example(), "weights.bin");
  const beside = bytesSource("weights.bin", await collect(data));
  const found = await readOnnxWeights(bytesSource("model.onnx", model), async (location) =>
    location === "weights.bin" ? beside : undefined,
  );
  await expectWeights(found);
  await expect(readOnnxWeights(bytesSource("model.onnx", model), nothing)).rejects.toThrow(
    new InputError("model.onnx", 'keeps weights in "weights.bin", which is missing'),
  );
  const short = bytesSource("weights.bin", new Uint8Array(4096));
  await expect(readOnnxWeights(bytesSource("model.onnx", model), async () => short)).rejects.toThrow(
    /bytes 4096 to 4104 are outside/,
  );
});

test.each<[string, ReturnType<typeof tensor>, RegExp]>([
  ["numbers of another form", tensor({ floatData: [1, 2] }), /"w" does not have 8 bytes of raw data/],
  ["too few bytes", tensor({ rawData: new Uint8Array(7) }), /does not have 8 bytes/],
  ["a negative size", tensor({ dims: [-2n], rawData: new Uint8Array(8) }), /impossible shape \[-2\]/],
  ["a huge size", tensor({ dims: [2n ** 62n], rawData: new Uint8Array(8) }), /impossible shape/],
  ["many numbers of another form", tensor({ floatData: Array(20_000).fill(1) }), /in another form than as raw data/],
])("%s: one clear line", async (_, graph, message) => {
  const model = create(ModelProtoSchema, { graph: create(GraphProtoSchema, graph) });
  const source = bytesSource("model.onnx", toBinary(ModelProtoSchema, model));
  await expect(readOnnxWeights(source, nothing)).rejects.toThrow(message);
});

function tensor(fields: { dims?: bigint[]; floatData?: number[]; rawData?: Uint8Array<ArrayBuffer> }) {
  return { initializer: [create(TensorProtoSchema, { name: "w", dataType: 1, dims: [2n], ...fields })] };
}

test("damaged files are refused in words, or read within their bytes", async () => {
  const intact = await collect(embeddedModel(example()));
  const damage = fc.record({
    at: fc.nat(intact.length - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    length: fc.option(fc.nat(intact.length), { nil: intact.length }),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ at, bytes, length }) => {
      const damaged = new Uint8Array(intact);
      damaged.set(bytes.subarray(0, intact.length - at), at);
      const source = bytesSource("model.onnx", damaged.subarray(0, length));
      try {
        for (const found of (await readOnnxWeights(source, nothing)).values()) await bytesOf(found);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
    { numRuns: 300 },
  );
});
