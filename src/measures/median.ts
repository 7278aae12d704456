/** The middle of the values in order, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The same of the values that are finite. */
export function finiteMedian(values: readonly number[]): number {
  return median(values.filter(Number.isFinite));
}
