import { analyzeContexts } from "../../encoding/analyze-contexts.js";
import { type CentredProducts, nestedR2 } from "../../encoding/regression/nested-refits.js";
import { gramSession } from "../../engine/gram-session.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { meanProbability } from "../../statistics/head-statistics.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import type { Order } from "../methods/orders.js";
import type { Reductions } from "../methods/prepare.js";
import { keptFor } from "../plan/reduction-plan.js";
import type { EncodingPoint } from "../reduction-run.js";
import { curveFractions } from "./reduction-curve.js";

const blockRows = 1024;

/**
 * R2 of -ln alpha on what is kept of E at every share deleted: on the kept columns, or on E B of the kept directions.
 * @param reductions prepared for the orders
 */
export async function encodingCurve(
  model: HeadModel,
  reductions: Reductions,
  contexts: StoredContexts,
  orders: readonly Order[],
  signal?: AbortSignal | undefined,
): Promise<EncodingPoint[]> {
  const d = model.hiddenSize;
  const products = await encodingProducts(model, contexts, signal);
  return orders.flatMap((order) => {
    const r2 = nestedOf(order, reductions, products, d);
    return curveFractions.map((fraction) => {
      const kept = keptFor({ fraction }, d);
      return { order, fraction, deleted: d - kept, r2: r2[Math.min(kept, r2.length) - 1]! };
    });
  });
}

/** R2 with the first 1, 2, ... that are kept. */
function nestedOf(order: Order, reductions: Reductions, products: CentredProducts, d: number): Float64Array {
  const deleted = reductions.deleted(order);
  if (deleted) return nestedR2(products, deleted.slice().reverse());
  const { basis, kept } = reductions.expansion(order, "least-squares", d);
  const columns = between(basis, products.columns, kept, d);
  const response = new Float64Array(kept);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < kept; j++) response[j]! += basis[i * kept + j]! * products.response[i]!;
  }
  const { totalSumOfSquares } = products;
  return nestedR2(
    { columns, response, totalSumOfSquares },
    Int32Array.from({ length: kept }, (_, j) => j),
  );
}

/** B' X B. @param b [d, k] @param x [d, d] @returns [k, k] */
function between(b: Float64Array, x: Float64Array, k: number, d: number): Float64Array {
  const half = new Float64Array(d * k);
  for (let i = 0; i < d; i++) {
    for (let l = 0; l < d; l++) {
      const value = x[i * d + l]!;
      for (let j = 0; j < k; j++) half[i * k + j]! += value * b[l * k + j]!;
    }
  }
  const out = new Float64Array(k * k);
  for (let i = 0; i < d; i++) {
    for (let a = 0; a < k; a++) {
      const value = b[i * k + a]!;
      for (let j = 0; j < k; j++) out[a * k + j]! += value * half[i * k + j]!;
    }
  }
  return out;
}

/** Centred products of the rows of E that stand for tokens and of -ln alpha. */
async function encodingProducts(
  model: HeadModel,
  contexts: StoredContexts,
  signal: AbortSignal | undefined,
): Promise<CentredProducts> {
  const { encoding, statistics } = await analyzeContexts(model, contexts, signal);
  const d = model.hiddenSize;
  const width = d + 1;
  const e = await readTensorFloat64(model.head.weight);
  const alpha = meanProbability(statistics);
  const rows = encoding.tokenIds;
  const number = (id: number, i: number) => (i < d ? e[id * d + i]! : -Math.log(alpha[id]!));
  const means = new Float64Array(width);
  for (const id of rows) for (let i = 0; i < width; i++) means[i]! += number(id, i) / rows.length;
  const sums = new Float64Array(width * width);
  const { gram, release } = await gramSession(model.engine);
  try {
    for (let start = 0; start < rows.length; start += blockRows) {
      const some = rows.subarray(start, start + blockRows);
      const block = new Float64Array(some.length * width);
      for (const [r, id] of some.entries()) {
        for (let i = 0; i < width; i++) block[r * width + i] = number(id, i) - means[i]!;
      }
      const part = await gram(block, some.length, width);
      for (let at = 0; at < part.length; at++) sums[at]! += part[at]!;
    }
  } finally {
    await release();
  }
  const columns = new Float64Array(d * d);
  for (let i = 0; i < d; i++) columns.set(sums.subarray(i * width, i * width + d), i * d);
  const response = Float64Array.from({ length: d }, (_, i) => sums[i * width + d]!);
  return { columns, response, totalSumOfSquares: sums[width * width - 1]! };
}
