import type { TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { perLayer, type Weights } from "../../weights.js";

/** The matrices of a layer's experts, each where it lies. */
export interface ExpertWeights {
  /** One for each expert: gate and up, or one matrix with both of them. */
  readonly gateUp: readonly (readonly TensorEntry[])[];
  /** One for each expert. */
  readonly down: readonly TensorEntry[];
  /** Whether matrices are [in, out] instead of [out, in]. */
  readonly inputsFirst: boolean;
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
  const { count, d, inner, fused, single, inputsFirst = false } = layout;
  const matrix = (out: number, input: number) => (inputsFirst ? [input, out] : [out, input]);
  if (single !== undefined && !hasFused(weights, fused.gateUp)) {
    const names = perLayer(count, single);
    const gateUp: TensorEntry[][] = [];
    const down: TensorEntry[] = [];
    for (const name of names) {
      gateUp.push([weights.get(name.gate, matrix(inner, d)), weights.get(name.up, matrix(inner, d))]);
      down.push(weights.get(name.down, matrix(d, inner)));
    }
    return { gateUp, down, inputsFirst };
  }
  return {
    gateUp: slices(weights, fused.gateUp, [count, ...matrix(2 * inner, d)]).map((slice) => [slice]),
    down: slices(weights, fused.down, [count, ...matrix(d, inner)]),
    inputsFirst,
  };
}

/** A slice of a tensor [count, ...] has its name and its place: so it is named in graphs, and found in ONNX files. */
const sliceName = (name: string, index: number) => `${name}.${index}`;

const hasFused = (weights: Weights, name: string) => weights.has(name) || weights.has(sliceName(name, 0));

/** The matrices of a tensor [count, ...], where they lie. */
function slices(weights: Weights, name: string, [count, ...shape]: readonly number[]): TensorEntry[] {
  if (!weights.has(name) && weights.has(sliceName(name, 0))) {
    return perLayer(count!, (index) => weights.get(sliceName(name, index), shape));
  }
  const whole = weights.get(name, [count, ...shape]);
  const byteLength = whole.byteLength / count!;
  return perLayer(count!, (index) => ({
    ...whole,
    name: sliceName(whole.name, index),
    shape,
    offset: whole.offset + index * byteLength,
    byteLength,
  }));
}
