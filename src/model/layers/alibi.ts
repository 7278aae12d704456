import type { Graph, Value } from "../../engine/graph.js";
import type { ForwardPass } from "../architecture.js";
import type { ScoreBias } from "./attention.js";
import { distances, ordinals } from "./places.js";

/**
 * Linear biases on attention scores in place of positions (Press et al. 2022, arXiv 2108.12409): a key counts less by its
 * head's slope for each place that it is further back.
 */
export function alibi(slopes: readonly number[]): ScoreBias {
  return (pass) => {
    const { graph } = pass;
    const back = graph.cast(distances(pass), "float32");
    return graph.op("Mul", [
      back,
      column(
        graph,
        slopes.map((slope) => -slope),
      ),
    ]);
  };
}

/**
 * The same as Falcon computes it, where slopes, the keys' positions and their products are rounded to bfloat16: a key counts
 * more by its head's slope for each place that it is further on. @param scale factor on it, as on q . k
 */
export function roundedAlibi(slopes: readonly number[], scale: number): ScoreBias {
  return (pass) => {
    const { graph } = pass;
    const rounded = (x: Value) => graph.cast(graph.cast(x, "bfloat16"), "float32");
    const at = rounded(graph.cast(keyPositions(pass), "float32"));
    const products = rounded(graph.op("Mul", [at, rounded(column(graph, slopes))]));
    return graph.op("Mul", [products, graph.constant(Float32Array.of(scale), [])]);
  };
}

/** Positions of all keys, padding not counted, int64 [1, 1, keys] or [batch, 1, 1, keys]. */
function keyPositions({ graph, positions, cache }: ForwardPass): Value {
  const axes = (...values: bigint[]) => graph.constant(BigInt64Array.from(values));
  if (cache === undefined) return graph.op("Unsqueeze", [positions, axes(0n, 1n)]);
  const before = graph.op("Sub", [ordinals(graph, cache), axes(1n)]);
  return graph.op("Unsqueeze", [graph.op("Mul", [before, cache.attentionMask]), axes(1n, 2n)]);
}

/** A number a head, [numHeads, 1, 1]. */
function column(graph: Graph, numbers: readonly number[]): Value {
  return graph.constant(Float32Array.from(numbers), [numbers.length, 1, 1]);
}

/**
 * Slopes of BLOOM and Falcon: 2^(-8 i / n) for i = 1 ... n with the largest power of two n up to numHeads, then every other
 * one of those of 2 n heads.
 */
export function bloomSlopes(numHeads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(numHeads));
  return Array.from({ length: numHeads }, (_, i) =>
    i < power ? 2 ** ((-8 * (i + 1)) / power) : 2 ** ((-4 * (2 * (i - power) + 1)) / power),
  );
}

/** Slopes of MPT: those of the smallest power of two from numHeads on, every other one first where that is more heads. */
export function mptSlopes(numHeads: number): number[] {
  const power = 2 ** Math.ceil(Math.log2(numHeads));
  const slopes = Array.from({ length: power }, (_, i) => 2 ** ((-8 * (i + 1)) / power));
  if (power === numHeads) return slopes;
  const [odd, even] = [1, 0].map((first) => slopes.filter((_, i) => i % 2 === first));
  return [...odd!, ...even!].slice(0, numHeads);
}
