import { create, toBinary } from "@bufbuild/protobuf";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from "onnx-buf";
import { InputError } from "../errors.js";
import type { ByteSource } from "../tensor/byte-source.js";
import { bytesPerElement } from "../tensor/dtype.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { mappedTensor } from "../tensor/tensor-views.js";
import { type EngineCapabilities, processorCapabilities } from "./capabilities.js";
import {
  type Attribute,
  constantTensor,
  type Dimension,
  type ElementType,
  elementTypes,
  type GraphWeight,
  initializer,
  innerValueInfo,
  modelFields,
  operator,
  valueInfo,
  type WeightPlace,
  weightTypes,
} from "./graph-protos.js";

/** A tensor inside a graph that is being built. */
export interface Value {
  readonly name: string;
}

/**
 * An ONNX graph under construction. Weights are referred to where they lie in their files; nothing is read or copied.
 * Operators: https://onnx.ai/onnx/operators/ and onnxruntime's docs/ContribOperators.md.
 */
export interface Graph {
  readonly name: string;
  /** Of the engine that will run it. */
  readonly capabilities: EngineCapabilities;
  input(name: string, type: ElementType, shape: readonly Dimension[]): Value;
  /** A weight as stored, in its own number type. */
  weight(tensor: TensorEntry): Value;
  /** A weight as float32: float16 and bfloat16 are widened when the session is made. */
  weightFloat32(tensor: TensorEntry): Value;
  /** A weight as float16, whatever it is stored as: half the memory. */
  weightFloat16(tensor: TensorEntry): Value;
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
  /** @param to a number type of values, or one that numbers are rounded to on the way to another */
  cast(value: Value, to: ElementType | "bfloat16"): Value;
  /**
   * Runs a graph of its own for one index of the second axis after another.
   * @param states float32, as the first step is given them @param inputs float32 [batch, steps, ...]
   * @param step of states and of what the inputs hold at its index, [batch, ...]; it may use values of the graph around it
   * @returns the states after the last step, and what the steps put out, [batch, steps, ...] each
   */
  scan(
    states: readonly Value[],
    inputs: readonly Value[],
    step: (
      states: Value[],
      inputs: Value[],
    ) => { readonly states: readonly Value[]; readonly outputs: readonly Value[] },
  ): { readonly states: Value[]; readonly outputs: Value[] };
  /**
   * One of two graphs of their own, which may use values of the graph around them; the other is not computed.
   * @param condition bool, one number @returns float32
   */
  branch(condition: Value, then: () => Value, otherwise: () => Value): Value;
  output(value: Value, name: string, type: ElementType, shape: readonly Dimension[]): void;
  /** Files that the weights lie in. */
  readonly sources: ReadonlySet<ByteSource>;
  /** Bytes that the weights take in memory: as float32, but for numbers of a byte. */
  readonly weightBytes: number;
  readonly outputNames: readonly string[];
  /** Whether matrices in blocks are put into it as float32: for files that others read, and find weights in by name. */
  readonly widensBlocks: boolean;
  /** Each weight once. */
  readonly weights: readonly GraphWeight[];
  /** The model as ONNX protobuf bytes; `locate` says where the session will look for each weight. */
  encode(locate: (tensor: TensorEntry) => WeightPlace): Uint8Array;
  /** The same as two protobuf messages: a ModelProto that lacks its graph, and the GraphProto, which lacks its weights. */
  encodeParts(): { readonly model: Uint8Array; readonly graph: Uint8Array };
}

/** An empty graph of that name. @param options capabilities of the engine that will run it; a processor's if left out */
export function createGraph(
  name: string,
  {
    widensBlocks = false,
    capabilities = processorCapabilities,
  }: { widensBlocks?: boolean | undefined; capabilities?: EngineCapabilities | undefined } = {},
): Graph {
  let nodes: NodeProto[] = [];
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

  /** A graph inside this one; its values are float32. */
  const inner = (what: string, given: readonly Value[], make: () => Value[]) => {
    const around = nodes;
    nodes = [];
    // Of names of their own: it may put out what it was given, or the same value twice.
    const results = make().map((value) => graph.op("Identity", [value]));
    const infos = (values: readonly Value[]) => values.map((value) => innerValueInfo(value.name, elementTypes.float32));
    const body = create(GraphProtoSchema, {
      name: `${name}_${what}`,
      node: nodes,
      input: infos(given),
      output: infos(results),
    });
    nodes = around;
    return body;
  };

  const graph: Graph = {
    name,
    capabilities,
    sources,
    widensBlocks,
    get weightBytes() {
      return [...weights.values()].reduce((bytes, { tensor }) => bytes + bytesInMemory(tensor), 0);
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
    weight(stored) {
      const tensor = capabilities.float16 ? stored : asFloat32(stored);
      const type = weightType(tensor);
      const name = weightName(weights, tensor);
      weights.set(name, { tensor: name === tensor.name ? tensor : { ...tensor, name }, type });
      sources.add(tensor.source);
      return { name };
    },
    weightFloat32(tensor) {
      const value = graph.weight(tensor);
      return tensor.dtype === "F32" ? value : graph.cast(value, "float32");
    },
    weightFloat16(tensor) {
      const value = graph.weight(tensor);
      return tensor.dtype === "F16" ? value : graph.cast(value, "float16");
    },
    constant(data, shape = [data.length]) {
      const value = { name: `constant_${counter++}` };
      constants.push(constantTensor(value.name, data, shape));
      return value;
    },
    op(type, operands, attributes = {}) {
      return graph.ops(type, operands, 1, attributes)[0]!;
    },
    ops(type, operands, outputCount, attributes = {}) {
      const results = Array.from({ length: outputCount }, () => ({ name: `${type}_${counter++}` }));
      const names = results.map((result) => result.name);
      nodes.push(operator(type, inputNames(operands), names, attributes));
      return results;
    },
    cast(value, to) {
      return graph.op("Cast", [value], { to: to === "bfloat16" ? weightTypes.BF16! : elementTypes[to] });
    },
    scan(states, scanned, step) {
      const fresh = (count: number) => Array.from({ length: count }, () => ({ name: `step_${counter++}` }));
      const [given, at] = [fresh(states.length), fresh(scanned.length)];
      let outputCount = 0;
      const body = inner("step", [...given, ...at], () => {
        const after = step(given, at);
        outputCount = after.outputs.length;
        return [...after.states, ...after.outputs];
      });
      const axes = (values: readonly unknown[]) => values.map(() => 1);
      const ended = graph.ops("Scan", [...states, ...scanned], states.length + outputCount, {
        body: { graph: body },
        num_scan_inputs: scanned.length,
        scan_input_axes: axes(scanned),
        scan_output_axes: axes(Array(outputCount).fill(0)),
      });
      return { states: ended.slice(0, states.length), outputs: ended.slice(states.length) };
    },
    branch(condition, then, otherwise) {
      return graph.op("If", [condition], {
        then_branch: { graph: inner("then", [], () => [then()]) },
        else_branch: { graph: inner("else", [], () => [otherwise()]) },
      });
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

/** Each tensor once, so that a graph that uses it twice holds it once. */
const asFloat32s = new WeakMap<TensorEntry, TensorEntry>();

/** Numbers of two bytes as float32, widened as they are read; other tensors as they are. */
function asFloat32(tensor: TensorEntry): TensorEntry {
  if (tensor.dtype !== "F16" && tensor.dtype !== "BF16") return tensor;
  const widened = asFloat32s.get(tensor) ?? mappedTensor(tensor, (value) => value);
  asFloat32s.set(tensor, widened);
  return widened;
}

function weightType({ name, dtype, source }: TensorEntry): GraphWeight["type"] {
  const type = weightTypes[dtype];
  if (type !== undefined) return type;
  throw new InputError(source.name, `tensor "${name}" has number type ${dtype}; weights must be F64, F32, F16 or BF16`);
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

function bytesInMemory({ dtype, shape, byteLength }: TensorEntry): number {
  return bytesPerElement[dtype] === 1 ? byteLength : 4 * elementCount(shape);
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}
