/**
 * Sums over the rows x_t of a block of weights_jt x_t. What takes one as a parameter can run on any engine.
 * @param weights [m, n]  @param block float32 [n, d]  @returns [m, d]
 */
export type WeightedRows = (weights: Float64Array, block: Float32Array, m: number) => Promise<Float64Array>;

/** The same in plain JavaScript. */
export function weightedRows(weights: Float64Array, block: Float32Array, m: number, d: number): Float64Array {
  const n = block.length / d;
  const out = new Float64Array(m * d);
  for (let j = 0; j < m; j++) {
    const sum = out.subarray(j * d, (j + 1) * d);
    for (let t = 0; t < n; t++) {
      const weight = weights[j * n + t]!;
      if (weight === 0) continue;
      const start = t * d;
      for (let i = 0; i < d; i++) sum[i]! += weight * block[start + i]!;
    }
  }
  return out;
}
