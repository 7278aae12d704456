import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
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
import { InputError } from "../errors.js";
import type { ByteSource } from "../tensor/byte-source.js";
import type { DType } from "../tensor/dtype.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";

/** A tensor inside a graph that is being built. */
export interface Value {
  readonly name: string;
}

/** Number types of a graph's inputs, outputs and constants. */
export type ElementType = "float32" | "float64" | "int64" | "int32" | "bool";

/** A size, or a name for one that is known only when the graph runs. */
export type Dimension = number | string;

type Attribute = number | string | readonly number[] | { readonly float: number };

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

const elementTypes: Record<ElementType, TensorProto_DataType> = {
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
};

/**
 * An ONNX graph under construction. Weights are referred to where they lie in their files; nothing is read or copied.
 * Operators: https://onnx.ai/onnx/operators/ and onnxruntime's docs/ContribOperators.md.
 */
export interface Graph {
  input(name: string, type: ElementType, shape: readonly Dimension[]): Value;
  /** A weight as stored, in its own number type. */
  weight(tensor: TensorEntry): Value;
  /** A weight as float32: float16 and bfloat16 are widened when the session is made. */
  weightFloat32(tensor: TensorEntry): Value;
  constant(data: Float32Array | Float64Array | BigInt64Array, shape?: readonly number[]): Value;
  /** One-output operator; `undefined` inputs are left out. Plain integers are ints, `{ float }` is a float attribute. */
  op(type: string, inputs: readonly (Value | undefined)[], attributes?: Record<string, Attribute>): Value;
  /** Operator with several outputs. */
  ops(
    type: string,
    inputs: readonly (Value | undefined)[],
    outputs: number,
    attributes?: Record<string, Attribute>,
  ): Value[];
  cast(value: Value, to: ElementType): Value;
  output(value: Value, name: string, type: ElementType, shape: readonly Dimension[]): void;
  /** Files that the weights lie in. */
  readonly sources: ReadonlySet<ByteSource>;
  /** Bytes that the weights take as float32. */
  readonly weightBytes: number;
  readonly outputNames: readonly string[];
  /** Each weight once. */
  readonly weights: readonly GraphWeight[];
  /** The model as ONNX protobuf bytes; `locate` says where the session will look for each weight. */
  encode(locate: (tensor: TensorEntry) => WeightPlace): Uint8Array;
  /** The same as two protobuf messages: a ModelProto that lacks its graph, and the GraphProto, which lacks its weights. */
  encodeParts(): { readonly model: Uint8Array; readonly graph: Uint8Array };
}

/** Contributed operators; all others are ONNX's own. */
const contributed = new Set([
  "FusedMatMul",
  "MultiHeadAttention",
  "GroupQueryAttention",
  "RotaryEmbedding",
  "SkipLayerNormalization",
  "SkipSimplifiedLayerNormalization",
]);

export function createGraph(name: string): Graph {
  const nodes: NodeProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const constants: TensorProto[] = [];
  const weights = new Map<string, GraphWeight>();
  const sources = new Set<ByteSource>();
  let counter = 0;
  const graphFields = (stored: TensorProto[]) => ({
    name,
    node: nodes,
    input: inputs,
    output: outputs,
    initializer: [...constants, ...stored],
  });

  const graph: Graph = {
    sources,
    get weightBytes() {
      return [...weights.values()].reduce((bytes, { tensor }) => bytes + 4 * elementCount(tensor.shape), 0);
    },
    get weights() {
      return [...weights.values()];
    },
    get outputNames() {
      return outputs.map((output) => output.name);
    },
    input(inputName, type, shape) {
      inputs.push(valueInfo(inputName, elementTypes[type], shape));
      return { name: inputName };
    },
    weight(tensor) {
      const type = weightTypes[tensor.dtype];
      if (type === undefined) {
        throw new InputError(
          tensor.source.name,
          `tensor "${tensor.name}" has number type ${tensor.dtype}; weights must be F64, F32, F16 or BF16 (or indices, I64)`,
        );
      }
      const name = weightName(weights, tensor);
      weights.set(name, { tensor: name === tensor.name ? tensor : { ...tensor, name }, type });
      sources.add(tensor.source);
      return { name };
    },
    weightFloat32(tensor) {
      const value = graph.weight(tensor);
      return tensor.dtype === "F32" ? value : graph.cast(value, "float32");
    },
    constant(data, shape = [data.length]) {
      const value = { name: `constant_${counter++}` };
      constants.push(
        create(TensorProtoSchema, {
          name: value.name,
          dims: shape.map(BigInt),
          dataType:
            data instanceof BigInt64Array
              ? TensorProto_DataType.INT64
              : data instanceof Float64Array
                ? TensorProto_DataType.DOUBLE
                : TensorProto_DataType.FLOAT,
          rawData: new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer),
        }),
      );
      return value;
    },
    op(type, operands, attributes = {}) {
      return graph.ops(type, operands, 1, attributes)[0]!;
    },
    ops(type, operands, outputCount, attributes = {}) {
      const results = Array.from({ length: outputCount }, () => ({ name: `${type}_${counter++}` }));
      nodes.push(
        create(NodeProtoSchema, {
          name: results[0]!.name,
          opType: type,
          domain: contributed.has(type) ? "com.microsoft" : "",
          input: inputNames(operands),
          output: results.map((result) => result.name),
          attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
        }),
      );
      return results;
    },
    cast(value, to) {
      return graph.op("Cast", [value], { to: elementTypes[to] });
    },
    output(value, outputName, type, shape) {
      nodes.push(create(NodeProtoSchema, { opType: "Identity", input: [value.name], output: [outputName] }));
      outputs.push(valueInfo(outputName, elementTypes[type], shape));
    },
    encode(locate) {
      const stored = [...weights.values()].map((weight) => initializer(weight, locate));
      return toBinary(
        ModelProtoSchema,
        create(ModelProtoSchema, { ...modelFields(), graph: create(GraphProtoSchema, graphFields(stored)) }),
      );
    },
    encodeParts() {
      return {
        model: toBinary(ModelProtoSchema, create(ModelProtoSchema, modelFields())),
        graph: toBinary(GraphProtoSchema, create(GraphProtoSchema, graphFields([]))),
      };
    },
  };
  return graph;
}

/** Left-out inputs are empty names, and none at the end: onnxruntime's LayerNormalization crashes the process on those. */
function inputNames(operands: readonly (Value | undefined)[]): string[] {
  const given = operands.findLastIndex((operand) => operand !== undefined) + 1;
  return operands.slice(0, given).map((operand) => operand?.name ?? "");
}

/** The tensor's name, with a number where another tensor of the graph has it: a head and its changed copy. */
function weightName(weights: ReadonlyMap<string, GraphWeight>, { name, source, offset }: TensorEntry): string {
  const isFree = (candidate: string) => {
    const held = weights.get(candidate)?.tensor;
    return held === undefined || (held.source === source && held.offset === offset);
  };
  let free = name;
  for (let copy = 2; !isFree(free); copy++) free = `${name}.${copy}`;
  return free;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

function modelFields() {
  return {
    irVersion,
    producerName: "unembed",
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: "", version: opset }),
      create(OperatorSetIdProtoSchema, { domain: "com.microsoft", version: 1n }),
    ],
  };
}

function initializer({ tensor, type }: GraphWeight, locate: (tensor: TensorEntry) => WeightPlace): TensorProto {
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

function valueInfo(name: string, type: TensorProto_DataType, shape: readonly Dimension[]): ValueInfoProto {
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
  if ("float" in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}
