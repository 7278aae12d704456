/**
 * The 16 dot products of four rows of a with four rows of b: the inner loop of everything cubic here. Rows start at
 * a[aStart + r * aStride] and b[bStart + s * bStride]; out[4 r + s] = sum over p < length of a_rp b_sp.
 * Two operands of four registers each give 16 multiply-adds to 8 loads.
 */
export function rowProducts(
  a: Float64Array,
  aStart: number,
  aStride: number,
  b: Float64Array,
  bStart: number,
  bStride: number,
  length: number,
  out: Float64Array,
): void {
  const a1 = aStart + aStride;
  const a2 = a1 + aStride;
  const a3 = a2 + aStride;
  const b1 = bStart + bStride;
  const b2 = b1 + bStride;
  const b3 = b2 + bStride;
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  let c20 = 0;
  let c21 = 0;
  let c22 = 0;
  let c23 = 0;
  let c30 = 0;
  let c31 = 0;
  let c32 = 0;
  let c33 = 0;
  for (let p = 0; p < length; p++) {
    const x0 = a[aStart + p]!;
    const x1 = a[a1 + p]!;
    const x2 = a[a2 + p]!;
    const x3 = a[a3 + p]!;
    let y = b[bStart + p]!;
    c00 += x0 * y;
    c10 += x1 * y;
    c20 += x2 * y;
    c30 += x3 * y;
    y = b[b1 + p]!;
    c01 += x0 * y;
    c11 += x1 * y;
    c21 += x2 * y;
    c31 += x3 * y;
    y = b[b2 + p]!;
    c02 += x0 * y;
    c12 += x1 * y;
    c22 += x2 * y;
    c32 += x3 * y;
    y = b[b3 + p]!;
    c03 += x0 * y;
    c13 += x1 * y;
    c23 += x2 * y;
    c33 += x3 * y;
  }
  out[0] = c00;
  out[1] = c01;
  out[2] = c02;
  out[3] = c03;
  out[4] = c10;
  out[5] = c11;
  out[6] = c12;
  out[7] = c13;
  out[8] = c20;
  out[9] = c21;
  out[10] = c22;
  out[11] = c23;
  out[12] = c30;
  out[13] = c31;
  out[14] = c32;
  out[15] = c33;
}

/** The next multiple of four: rows that `rowProducts` takes four at a time are padded to it with zeros. */
export function roundUpToFour(count: number): number {
  return Math.ceil(count / 4) * 4;
}
