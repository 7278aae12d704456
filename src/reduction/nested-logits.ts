import type { Graph, Value } from "../engine/graph.js";
import { reducedLogits } from "../export/reduced-logits.js";
import { type Head, transformed } from "../model/head.js";
import type { FloatDType } from "../tensor/dtype.js";
import { memoryTensor } from "../tensor/memory-tensor.js";
import type { ReducedHead } from "./orders.js";

/**
 * Logits of several reduced heads. A head that keeps all that a smaller one keeps, with the same columns of F, adds the
 * product of the columns that came on top to the smaller one's: without compensation, with means and along a rotation the
 * products of all sizes together then cost as much as the largest alone, and hold its weights once.
 * @param hidden [n, d] @returns [n, V] of each, in the order of the heads
 */
export function nestedLogits(graph: Graph, head: Head, reduced: readonly ReducedHead[], hidden: Value): Value[] {
  const { vocabSize, hiddenSize } = head;
  const rising = Array.from(reduced.keys()).sort((a, b) => reduced[a]!.kept - reduced[b]!.kept || a - b);
  const logits: Value[] = [];
  let inner: { head: ReducedHead; product: Value } | undefined;
  for (const [place, index] of rising.entries()) {
    const one = reduced[index]!;
    const added = inner && columnsOnTop(inner.head, one);
    const isInner = place + 1 < rising.length && columnsOnTop(one, reduced[rising[place + 1]!]!) !== undefined;
    if (added === undefined && !isInner) {
      logits[index] = reducedLogits(graph, head, one, hidden, `${index}.`);
      inner = undefined;
      continue;
    }
    const columns = added ?? Int32Array.from({ length: one.kept }, (_, j) => j);
    const product = columns.length === 0 ? inner!.product : productOn(one, columns, `${index}.`, inner?.product);
    inner = { head: one, product };
    const bias = graph.weight(memoryTensor(`${index}.bias`, "F32", [vocabSize], one.bias));
    logits[index] = transformed(graph, head.transform, graph.op("Add", [product, bias]));
  }
  return logits;

  function productOn(one: ReducedHead, columns: Int32Array, prefix: string, sum: Value | undefined): Value {
    const dtype = head.weight.dtype as FloatDType;
    const weight = (name: string, shape: number[], values: Float32Array) =>
      graph.weightFloat32(memoryTensor(`${prefix}${name}`, dtype, shape, values));
    const { coordinates, projection, factor, kept } = one;
    const count = columns.length;
    const values = new Float32Array(vocabSize * count);
    for (let w = 0; w < vocabSize; w++) {
      for (let j = 0; j < count; j++) values[w * count + j] = factor[w * kept + columns[j]!]!;
    }
    const directions = new Float32Array(projection ? count * hiddenSize : 0);
    for (const [j, column] of projection ? columns.entries() : []) {
      directions.set(projection!.subarray(column * hiddenSize, (column + 1) * hiddenSize), j * hiddenSize);
    }
    const parts = projection
      ? graph.op("Gemm", [hidden, weight("projection", [count, hiddenSize], directions)], { transB: 1 })
      : graph.op("Gather", [hidden, graph.constant(BigInt64Array.from(columns, (j) => BigInt(coordinates![j]!)))], {
          axis: 1,
        });
    return graph.op("Gemm", [parts, weight("columns", [vocabSize, count], values), sum], { transB: 1 });
  }
}

/** Columns of the larger head that the smaller one lacks; undefined unless all others are the same. */
function columnsOnTop(smaller: ReducedHead, larger: ReducedHead): Int32Array | undefined {
  const same = smaller.coordinates ? placesOf(smaller.coordinates, larger.coordinates) : leadingRows(smaller, larger);
  if (same === undefined) return undefined;
  const vocabSize = smaller.bias.length;
  for (let w = 0; w < vocabSize; w++) {
    for (let j = 0; j < smaller.kept; j++) {
      if (smaller.factor[w * smaller.kept + j] !== larger.factor[w * larger.kept + same[j]!]) return undefined;
    }
  }
  const known = new Set(same);
  return Int32Array.from({ length: larger.kept }, (_, j) => j).filter((j) => !known.has(j));
}

function placesOf(some: Int32Array, all: Int32Array | undefined): Int32Array | undefined {
  const places = some.map((coordinate) => all?.indexOf(coordinate) ?? -1);
  return places.includes(-1) ? undefined : places;
}

function leadingRows(smaller: ReducedHead, larger: ReducedHead): Int32Array | undefined {
  const rows = smaller.projection!;
  if (larger.projection === undefined || rows.some((value, at) => value !== larger.projection![at])) return undefined;
  return Int32Array.from({ length: smaller.kept }, (_, j) => j);
}
