import type { TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { perLayer, type Weights } from "../../weights.js";

/** The matrices of a layer's experts, each where it lies. */
export interface ExpertWeights {
  /** One for each expert: gate and up, or one matrix with both of them that cannot be cut in two where it lies. */
  readonly gateUp: readonly (readonly TensorEntry[])[];
  /** One for each expert. */
  readonly down: readonly TensorEntry[];
  /** Whether matrices are [in, out] instead of [out, in]. */
  readonly inputsFirst: boolean;
  /** Whether gate and up alternate in their common matrix instead of following each other. */
  readonly interleaved: boolean;
  /** What is added after the matrices of each expert. */
  readonly biases: { readonly gateUp: readonly TensorEntry[]; readonly down: readonly TensorEntry[] } | undefined;
}

/** How a family names and stores the experts of one layer. */
export interface ExpertLayout {
  /** Experts there are. */
  readonly count: number;
  /** Numbers of the hidden state, and inside an expert. */
  readonly d: number;
  readonly inner: number;
  /** Tensors of all experts: [count, 2 inner, d] and [count, d, inner], the last two axes swapped where `inputsFirst`. */
  readonly fused: { readonly gateUp: string; readonly down: string };
  /** Tensors of one expert. */
  readonly single?: (expert: number) => { readonly gate: string; readonly up: string; readonly down: string };
  readonly inputsFirst?: boolean;
  readonly interleaved?: boolean;
  /** Of all experts: [count, 2 inner] and [count, d]. */
  readonly biases?: { readonly gateUp: string; readonly down: string };
}

/** The names of most families: PREFIX.gate_up_proj of all experts, PREFIX.7.gate_proj.weight of one. */
export const projectionNames = (prefix: string): Pick<ExpertLayout, "fused" | "single"> => ({
  fused: { gateUp: `${prefix}.gate_up_proj`, down: `${prefix}.down_proj` },
  single(expert) {
    const part = (name: string) => `${prefix}.${expert}.${name}.weight`;
    return { gate: part("gate_proj"), up: part("up_proj"), down: part("down_proj") };
  },
});

/** @throws InputError naming the tensor that is missing or of another shape */
export function expertWeights(weights: Weights, layout: ExpertLayout): ExpertWeights {
  const { count, d, inner, fused, single, inputsFirst = false, interleaved = false } = layout;
  const form = { inputsFirst, interleaved, biases: expertBiases(weights, layout) };
  const matrix = (out: number, input: number) => (inputsFirst ? [input, out] : [out, input]);
  if (single !== undefined && !hasFused(weights, fused.gateUp)) {
    const gateUp: TensorEntry[][] = [];
    const down: TensorEntry[] = [];
    for (const name of perLayer(count, single)) {
      gateUp.push([weights.get(name.gate, matrix(inner, d)), weights.get(name.up, matrix(inner, d))]);
      down.push(weights.get(name.down, matrix(d, inner)));
    }
    return { ...form, gateUp, down };
  }
  const whole = [count, ...matrix(2 * inner, d)];
  const down = slices(weights, fused.down, [count, ...matrix(d, inner)], matrix(d, inner));
  if (inputsFirst || interleaved) {
    const gateUp = slices(weights, fused.gateUp, whole, matrix(2 * inner, d)).map((slice) => [slice]);
    return { ...form, gateUp, down };
  }
  // Rows of outputs lie behind each other: those of gate are a matrix, and those of up.
  const halves = slices(weights, fused.gateUp, whole, [inner, d]);
  return { ...form, gateUp: down.map((_, expert) => halves.slice(2 * expert, 2 * expert + 2)), down };
}

function expertBiases(weights: Weights, { biases, count, d, inner }: ExpertLayout): ExpertWeights["biases"] {
  if (biases === undefined) return undefined;
  return {
    gateUp: slices(weights, biases.gateUp, [count, 2 * inner], [2 * inner]),
    down: slices(weights, biases.down, [count, d], [d]),
  };
}

/** A slice of a tensor has its name and its place: so it is named in graphs, and found in ONNX files. */
const sliceName = (name: string, index: number) => `${name}.${index}`;

/** Whether there is a tensor of all experts, or its slices. */
export const hasFused = (weights: Weights, name: string) => weights.has(name) || weights.has(sliceName(name, 0));

/** The slices of one shape that a tensor holds behind each other, where they lie. */
function slices(weights: Weights, name: string, shape: readonly number[], each: readonly number[]): TensorEntry[] {
  const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1);
  const count = product(shape) / product(each);
  if (!weights.has(name) && weights.has(sliceName(name, 0))) {
    return perLayer(count, (index) => weights.get(sliceName(name, index), each));
  }
  const whole = weights.get(name, shape);
  const byteLength = whole.byteLength / count;
  return perLayer(count, (index) => ({
    ...whole,
    name: sliceName(whole.name, index),
    shape: each,
    offset: whole.offset + index * byteLength,
    byteLength,
  }));
}
