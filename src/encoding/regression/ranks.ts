/** Ranks from 1 up, ties sharing the mean of theirs. */
export function averageRanks(values: Float64Array): Float64Array {
  const order = Int32Array.from(values.keys()).sort((i, j) => values[i]! - values[j]! || i - j);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) ranks[order[k]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/** Spearman's rank correlation: Pearson's, of average ranks. 0 if either side is constant. */
export function spearman(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) throw new RangeError(`cannot correlate ${a.length} values with ${b.length}`);
  const [x, y] = [averageRanks(a), averageRanks(b)];
  const middle = (a.length + 1) / 2;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - middle;
    const dy = y[i]! - middle;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}
