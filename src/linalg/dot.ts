/** Sum over p < length of a[aStart + p] b[bStart + p]; four partial sums, so that additions need not wait in line. */
export function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let p = 0;
  for (; p + 3 < length; p += 4) {
    s0 += a[aStart + p]! * b[bStart + p]!;
    s1 += a[aStart + p + 1]! * b[bStart + p + 1]!;
    s2 += a[aStart + p + 2]! * b[bStart + p + 2]!;
    s3 += a[aStart + p + 3]! * b[bStart + p + 3]!;
  }
  for (; p < length; p++) s0 += a[aStart + p]! * b[bStart + p]!;
  return s0 + s1 + (s2 + s3);
}

/** y[yStart + p] += factor x[xStart + p] for p < length. */
export function addMultiple(
  y: Float64Array,
  yStart: number,
  factor: number,
  x: Float64Array,
  xStart: number,
  length: number,
): void {
  for (let p = 0; p < length; p++) y[yStart + p]! += factor * x[xStart + p]!;
}

/** Euclidean norm of a vector whose squares neither overflow nor underflow. */
export function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, 0, x, 0, x.length));
}
