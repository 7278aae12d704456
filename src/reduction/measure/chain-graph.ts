import type { Engine } from "../../engine/engine.js";
import type { Graph, Value } from "../../engine/graph.js";
import type { Head } from "../../model/head/head.js";
import { transformed } from "../../model/head/head-transform.js";
import { withExactLogits } from "../../model/head/reduced-head.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import type { Chain } from "../methods/chain.js";
import { pointGraph } from "./point-graph.js";

/** A chain with what the head makes of it, and the sizes to be measured. */
export interface ChainHead {
  readonly chain: Chain;
  /** F = E C, [V, r]; the same object where chains share it. */
  readonly factor: Float32Array;
  /** b + E base, [V]. */
  readonly bias: Float32Array;
  /** k, rising. */
  readonly sizes: readonly number[];
  /** Each m with which the same is measured as the preview of two stages. Default none. */
  readonly rescore?: readonly number[] | undefined;
}

/** Points that a chain has: of each size by itself, then of each size with each m. */
export function pointsOfChain({ sizes, rescore = [] }: Pick<ChainHead, "sizes" | "rescore">): number {
  return sizes.length * (1 + rescore.length);
}

export interface ChainGraphOptions {
  /** Whether to measure JS, which costs more than all else. */
  readonly js: boolean;
  /**
   * Whether exponentials are taken relative to each size's own largest logit: needed where the model transforms its logits,
   * and where a reduced head's largest is 88 nats or more above that of the original's likeliest token.
   */
  readonly peaks: boolean;
}

/**
 * A `pointGraph` of chains at all their sizes, in the order of the chains. The logits of a size are those of the size before
 * it and the product of the columns that come on top, so that all sizes together cost as many products as the largest
 * alone.
 *
 * With m = E' p, sum p (z - z') = m . (h - h'): without transform, KL needs of a size no more of its V numbers than the sum
 * of their exponentials. These are taken relative to the reduced logit of the original's likeliest token, which a column of
 * ones subtracts in the product itself.
 */
export function chainGraph(
  head: Head,
  engine: Pick<Engine, "capabilities">,
  heads: readonly ChainHead[],
  { js, peaks }: ChainGraphOptions,
): Graph {
  const { vocabSize: V, hiddenSize: d } = head;
  const measure = pointGraph(head, engine, { js });
  const { graph, hidden, weight, original, op } = measure;
  const { add, subtract, multiply, matrixProduct, sum, beside } = op;
  const transposedProduct = (a: Value, b: Value) => graph.op("Gemm", [a, b], { transB: 1 });
  const columnsOfFactor = new Map<Float32Array, (Value | undefined)[]>();
  const rowsOfE = peaks ? undefined : { mean: matrixProduct(original.p, weight), top: topRow() };
  return measure.finish(heads.flatMap(pointsOf));

  function pointsOf(one: ChainHead, place: number): Value[] {
    const { sizes, bias, chain } = one;
    const columns = columnsOf(one);
    const matrix = (values: Float64Array) => graph.constant(Float32Array.from(values), [chain.rank, d]);
    const basis = matrix(chain.basis);
    const centred = subtract(hidden, graph.constant(Float32Array.from(chain.base), [d]));
    const parts = transposedProduct(centred, matrix(chain.reader));
    const missed = rowsOfE && {
      mean: missedLogits(rowsOfE.mean, one, { centred, parts, basis }),
      top: missedLogits(rowsOfE.top, one, { centred, parts, basis }),
    };
    let product: Value = graph.weight(memoryTensor(`bias.${place}`, "F32", [V], bias));
    let added: Value | undefined;
    const stages: Value[][] = (one.rescore ?? []).map(() => []);
    const alone = sizes.map((_, index) => {
      const { start, end } = columnRange(one, index);
      // Minus the reduced logit of the original's likeliest token.
      const shift = missed && subtract(missed.top[index]!, original.peak);
      const toShift = shift && (added ? subtract(shift, added) : shift);
      added = shift;
      const left = [end > start ? sliced(parts, start, end) : undefined, toShift].filter((part) => part !== undefined);
      if (left.length > 0) {
        const together = left.length > 1 ? beside(left) : left[0];
        product = graph.op("Gemm", [together, columns[index], product], { transB: 1 });
      }
      const z = missed ? product : transformed(graph, head.transform, product);
      const exact = shift ? add(original.logits, shift) : original.logits;
      for (const [stage, m] of (one.rescore ?? []).entries()) stages[stage]!.push(rescoredPoint(z, exact, m));
      return missed ? measure.point(z, subtract(missed.mean[index]!, missed.top[index]!)) : measure.point(z);
    });
    return [...alone, ...stages.flat()];
  }

  /** Two stages: exact logits in the places of the m largest. @param exact minus the same as z @param z reduced logits */
  function rescoredPoint(z: Value, exact: Value, m: number): Value {
    const exactOf = (tokens: Value) => graph.op("GatherElements", [exact, tokens], { axis: 1 });
    return measure.point(withExactLogits(graph, z, graph.constant(BigInt64Array.of(BigInt(m))), exactOf));
  }

  /** row . (h - h') of every size: of the parts that are left out, and of what none of the parts holds. @param row [rows, d] */
  function missedLogits(
    row: Value,
    { chain: { rank }, sizes }: ChainHead,
    { centred, parts, basis }: { centred: Value; parts: Value; basis: Value },
  ): Value[] {
    const tails = graph.constant(tailSums(rank, sizes), [rank, sizes.length]);
    const ofParts = matrixProduct(multiply(transposedProduct(row, basis), parts), tails);
    const beyond = sum(multiply(row, subtract(centred, matrixProduct(parts, basis))));
    const all = add(ofParts, beyond);
    return sizes.length === 1 ? [all] : graph.ops("Split", [all], sizes.length, { axis: 1, num_outputs: sizes.length });
  }

  /** The row of E of the original's likeliest token, [rows, d]. */
  function topRow(): Value {
    const shape = graph.constant(BigInt64Array.of(-1n, BigInt(d)));
    return graph.op("Reshape", [graph.op("Gather", [weight, original.top], { axis: 0 }), shape]);
  }

  /** Of each size the columns of F that come on top, and of ones where there is something to subtract. */
  function columnsOf(one: ChainHead): (Value | undefined)[] {
    const { factor, sizes, chain } = one;
    const shared = columnsOfFactor.get(factor);
    if (shared) return shared;
    const columns = sizes.map((_, index) => {
      const { start, end } = columnRange(one, index);
      const width = end - start + (peaks ? 0 : 1);
      if (width === 0) return undefined;
      const values = new Float32Array(V * width).fill(1);
      for (let w = 0; w < V; w++) {
        values.set(factor.subarray(w * chain.rank + start, w * chain.rank + end), w * width);
      }
      return graph.weight(memoryTensor(`columns.${columnsOfFactor.size}.${index}`, "F32", [V, width], values));
    });
    columnsOfFactor.set(factor, columns);
    return columns;
  }

  function sliced(x: Value, start: number, end: number): Value {
    const place = (value: number) => graph.constant(BigInt64Array.of(BigInt(value)));
    return graph.op("Slice", [x, place(start), place(end), place(1)]);
  }
}

/** Columns of F that a size has and the one before it has not. */
function columnRange({ chain: { rank }, sizes }: ChainHead, index: number): { start: number; end: number } {
  return { start: Math.min(rank, sizes[index - 1] ?? 0), end: Math.min(rank, sizes[index]!) };
}

/** 1 where part i is left out at size k. [rank, sizes] */
function tailSums(rank: number, sizes: readonly number[]): Float32Array {
  return Float32Array.from({ length: rank * sizes.length }, (_, at) =>
    Math.floor(at / sizes.length) >= sizes[at % sizes.length]! ? 1 : 0,
  );
}
