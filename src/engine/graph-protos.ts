import { create } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import type { DType } from "../tensor/dtype.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";

/** Number types of a graph's inputs, outputs and constants. */
export type ElementType = "float16" | "float32" | "float64" | "int64" | "int32" | "bool";

/** A size, or a name for one that is known only when the graph runs. */
export type Dimension = number | string;

/** Attribute of an operator: a plain integer is an int, `{ float }` a float, `{ graph }` what is run at each of its steps. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly graph: GraphProto };

/** A weight of a graph and its number type in ONNX. */
export interface GraphWeight {
  readonly tensor: TensorEntry;
  readonly type: TensorProto_DataType;
}

/** Where a session looks for a weight's bytes, or the bytes, to be put into the graph itself. */
export type WeightPlace = { readonly location: string; readonly offset: number } | { readonly bytes: Uint8Array };

/** ONNX operators of opset 21 and of com.microsoft 1 (the contributed ones of onnxruntime). */
const opset = 21n;
const irVersion = 10n;

/** Number types of values in ONNX. */
export const elementTypes: Record<ElementType, TensorProto_DataType> = {
  float16: TensorProto_DataType.FLOAT16,
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int64: TensorProto_DataType.INT64,
  int32: TensorProto_DataType.INT32,
  bool: TensorProto_DataType.BOOL,
};

/** Number types of weights in ONNX. */
export const weightTypes: Partial<Record<DType, TensorProto_DataType>> = {
  F64: TensorProto_DataType.DOUBLE,
  F32: TensorProto_DataType.FLOAT,
  F16: TensorProto_DataType.FLOAT16,
  BF16: TensorProto_DataType.BFLOAT16,
  I64: TensorProto_DataType.INT64,
  I8: TensorProto_DataType.INT8,
  U8: TensorProto_DataType.UINT8,
};

/** Contributed operators; all others are ONNX's own. */
const contributed = new Set([
  "FusedMatMul",
  "MultiHeadAttention",
  "GroupQueryAttention",
  "MatMulNBits",
  "GatherBlockQuantized",
  "RotaryEmbedding",
  "SkipLayerNormalization",
  "SkipSimplifiedLayerNormalization",
]);

/** One operator. @param inputs names, "" for one left out  @param outputs names of what it puts out; the first is its own name too */
export function operator(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, Attribute>,
): NodeProto {
  return create(NodeProtoSchema, {
    name: outputs[0]!,
    opType: type,
    domain: contributed.has(type) ? "com.microsoft" : "",
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
  });
}

/** Numbers that are part of the graph. */
export function constantTensor(
  name: string,
  data: Float32Array | Float64Array | BigInt64Array,
  shape: readonly number[],
): TensorProto {
  const types = { Float32Array: "float32", Float64Array: "float64", BigInt64Array: "int64" } as const;
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: elementTypes[types[data[Symbol.toStringTag]]],
    rawData: new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer),
  });
}

/** Fields of a ModelProto other than its graph. */
export function modelFields() {
  return {
    irVersion,
    producerName: "unembed",
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: "", version: opset }),
      create(OperatorSetIdProtoSchema, { domain: "com.microsoft", version: 1n }),
    ],
  };
}

/** A weight, or where it lies. */
export function initializer({ tensor, type }: GraphWeight, locate: (tensor: TensorEntry) => WeightPlace): TensorProto {
  const place = locate(tensor);
  const fields = { name: tensor.name, dims: tensor.shape.map(BigInt), dataType: type };
  if ("bytes" in place) {
    return create(TensorProtoSchema, { ...fields, rawData: place.bytes as Uint8Array<ArrayBuffer> });
  }
  const entries = { location: place.location, offset: `${place.offset}`, length: `${tensor.byteLength}` };
  return create(TensorProtoSchema, {
    ...fields,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
}

/** An input or output of a graph inside a graph, of any shape. */
export function innerValueInfo(name: string, type: TensorProto_DataType): ValueInfoProto {
  const tensor = create(TypeProto_TensorSchema, { elemType: type });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } }),
  });
}

/** An input or output of the graph. */
export function valueInfo(name: string, type: TensorProto_DataType, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === "number" ? { case: "dimValue", value: BigInt(size) } : { case: "dimParam", value: size },
    }),
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: "tensorType",
        value: create(TypeProto_TensorSchema, { elemType: type, shape: create(TensorShapeProtoSchema, { dim }) }),
      },
    }),
  });
}

function attribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === "number") {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === "string") {
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) });
  }
  if ("graph" in value) return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: value.graph });
  if ("float" in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}
