import type { Sparsity } from "../analysis.js";
import { type FoldMoments, packedIndex } from "../regression/fold-moments.js";

/** |A_i| times the population standard deviation of column i of E, [d] (METHOD.md section 2). */
export function saliency(slopes: Float64Array, { total }: FoldMoments): Float64Array {
  const rows = total[0]!;
  return slopes.map((slope, i) => {
    const offset = total[packedIndex(i + 1, 0)]! / rows;
    const variance = Math.max(0, total[packedIndex(i + 1, i + 1)]! / rows - offset * offset);
    return Math.abs(slope) * Math.sqrt(variance);
  });
}

/** Indices by falling value; equal ones in their own order. */
export function fallingOrder(values: Float64Array): Int32Array {
  return Int32Array.from(values.keys()).sort((i, j) => values[j]! - values[i]! || i - j);
}

/** Share of the total that the k + 1 smallest values hold, [n]. */
export function lorenzCurve(values: Float64Array): Float64Array {
  const rising = values.slice().sort();
  const total = rising.reduce((sum, value) => sum + value, 0);
  let held = 0;
  const curve = rising.map((value) => {
    held += value;
    return Math.min(1, held / total);
  });
  curve[curve.length - 1] = 1;
  return curve;
}

/**
 * Gini coefficient of non-negative values: their mean absolute difference over twice their mean, that is
 * 2 sum_i i x_(i) / (n sum x) - (n + 1) / n for x in rising order. 0 if all are equal, (n - 1) / n if one holds all.
 */
export function giniCoefficient(values: Float64Array): number {
  const rising = values.slice().sort();
  const n = rising.length;
  let total = 0;
  let weighted = 0;
  for (let i = 0; i < n; i++) {
    total += rising[i]!;
    weighted += (i + 1) * rising[i]!;
  }
  return (2 * weighted) / (n * total) - (n + 1) / n;
}

/** How many of the largest values hold 50, 80, 90 and 95% of the total. */
export function dimensionsFor(values: Float64Array): Sparsity["dimensionsFor"] {
  const falling = values.slice().sort().reverse();
  const total = falling.reduce((sum, value) => sum + value, 0);
  const count = (percent: number): number => {
    let held = 0;
    const index = falling.findIndex((value) => {
      held += value;
      return held >= (percent / 100) * total;
    });
    return index < 0 ? falling.length : index + 1;
  };
  return { "50": count(50), "80": count(80), "90": count(90), "95": count(95) };
}
