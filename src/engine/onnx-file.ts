import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from "onnx-buf";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import type { Graph } from "./graph.js";
import type { GraphWeight, WeightPlace } from "./graph-protos.js";

/** A file's bytes, piece by piece, so that a large one is never in memory. */
export type Chunks = AsyncIterable<Uint8Array>;

/** Read at once from a weight. */
const chunkBytes = 8 * 2 ** 20;

/** Weights start at multiples of this in a data file, so that a runtime can map them: the pages of common systems. */
const pageBytes = 4096;

/** A graph with its weights inside, as an ONNX file. Protobuf readers take at most 2 GiB. */
export async function* embeddedModel(graph: Graph): Chunks {
  const parts = graph.encodeParts();
  const tensors = graph.weights.map((weight) => {
    const start = concatenate([message(weight), fieldStart(TensorProtoSchema.field.rawData, weight.tensor.byteLength)]);
    const byteLength = start.length + weight.tensor.byteLength;
    const field = fieldStart(GraphProtoSchema.field.initializer, byteLength);
    return { weight, start: concatenate([field, start]), byteLength: field.length + byteLength };
  });
  const graphLength = tensors.reduce((length, { byteLength }) => length + byteLength, parts.graph.length);
  yield concatenate([parts.model, fieldStart(ModelProtoSchema.field.graph, graphLength), parts.graph]);
  for (const { weight, start } of tensors) {
    yield start;
    yield* bytesOf(weight.tensor);
  }
}

/** A graph as an ONNX file, and the file of that location beside it that holds its weights. */
export function modelWithData(graph: Graph, location: string): { model: Uint8Array; data: Chunks } {
  const places = new Map<TensorEntry, WeightPlace>();
  let end = 0;
  for (const { tensor } of graph.weights) {
    const offset = Math.ceil(end / pageBytes) * pageBytes;
    places.set(tensor, { location, offset });
    end = offset + tensor.byteLength;
  }
  return { model: graph.encode((tensor) => places.get(tensor)!), data: pagedWeights(graph) };
}

async function* pagedWeights(graph: Graph): Chunks {
  let end = 0;
  for (const { tensor } of graph.weights) {
    const gap = Math.ceil(end / pageBytes) * pageBytes - end;
    if (gap > 0) yield new Uint8Array(gap);
    yield* bytesOf(tensor);
    end += gap + tensor.byteLength;
  }
}

async function* bytesOf({ source, offset, byteLength }: TensorEntry): Chunks {
  for (let start = 0; start < byteLength; start += chunkBytes) {
    yield await source.read(offset + start, Math.min(chunkBytes, byteLength - start));
  }
}

/** A TensorProto up to its bytes. */
function message({ tensor, type }: GraphWeight): Uint8Array {
  const fields = { name: tensor.name, dims: tensor.shape.map(BigInt), dataType: type };
  return toBinary(TensorProtoSchema, create(TensorProtoSchema, fields));
}

/** What comes before the bytes of a field (https://protobuf.dev/programming-guides/encoding/). */
function fieldStart({ number }: { readonly number: number }, byteLength: number): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(byteLength).finish();
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
