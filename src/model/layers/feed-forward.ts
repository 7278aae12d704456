import type { Graph, Value } from "../../engine/graph.js";
import type { Weights } from "../weights.js";
import { type Activation, type Affine, activate, linear, splitLast } from "./layers.js";

/** A layer's part after attention, of each token by itself. @param x [batch, time, d], like the result */
export type FeedForward = (graph: Graph, x: Value) => Value;

/**
 * W_down (activation(W_gate x) * W_up x).
 * @param choices `fused`: whether gate and up are one tensor, gate_up_proj; `names` of the tensors, where they are not gate_proj,
 *   up_proj and down_proj
 */
export function gatedMlp(
  weights: Weights,
  prefix: string,
  { d, inner }: { readonly d: number; readonly inner: number },
  choices: {
    readonly activation: Activation;
    readonly biased?: boolean;
    readonly fused?: boolean;
    readonly names?: { readonly gate: string; readonly up: string; readonly down: string };
  },
): FeedForward {
  const { activation, biased = false, fused = false } = choices;
  const names = choices.names ?? { gate: "gate_proj", up: "up_proj", down: "down_proj" };
  const affine = affineReader(weights, prefix);
  const gateUp = fused
    ? [affine("gate_up_proj", 2 * inner, d, biased)]
    : [affine(names.gate, inner, d, biased), affine(names.up, inner, d, biased)];
  const down = affine(names.down, d, inner, biased);
  return (graph, x) => {
    const [gate, up] = project(graph, x, gateUp, [inner, inner]) as [Value, Value];
    return linear(graph, graph.op("Mul", [activate(graph, activation, gate), up]), down);
  };
}

/** Finds the weight, and the bias if there is one, of the linear map of that name. */
export type AffineReader = (name: string, out: number, input: number, biased: boolean) => Affine;

/** @param prefix of the names */
export function affineReader(weights: Weights, prefix: string): AffineReader {
  return (name, out, input, biased) => ({
    weight: weights.get(`${prefix}.${name}.weight`, [out, input]),
    bias: biased ? weights.get(`${prefix}.${name}.bias`, [out]) : undefined,
  });
}

/** Several projections of x, from a matrix each or from one that holds them below one another. */
export function project(graph: Graph, x: Value, maps: readonly Affine[], sizes: readonly number[]): Value[] {
  const [only, ...others] = maps as [Affine, ...Affine[]];
  return others.length === 0
    ? splitLast(graph, linear(graph, x, only), sizes)
    : maps.map((map) => linear(graph, x, map));
}
