/**
 * A B of row-major A [rows, inner] and B [inner, columns], as row-major [rows, columns].
 * What takes one as a parameter can run on any engine that multiplies float64 matrices.
 */
export type MatrixProduct = (
  a: Float64Array,
  b: Float64Array,
  rows: number,
  inner: number,
  columns: number,
) => Promise<Float64Array>;

/** The same in plain JavaScript. */
export const plainProduct: MatrixProduct = async (a, b, rows, inner, columns) => {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const x = a[i * inner + k]!;
      for (let j = 0; j < columns; j++) out[i * columns + j]! += x * b[k * columns + j]!;
    }
  }
  return out;
};

/** The transpose of a row-major [rows, columns], in tiles that stay in the first-level cache. */
export function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  const tile = 16;
  const out = new Float64Array(rows * columns);
  for (let i0 = 0; i0 < rows; i0 += tile) {
    const iEnd = Math.min(i0 + tile, rows);
    for (let j0 = 0; j0 < columns; j0 += tile) {
      const jEnd = Math.min(j0 + tile, columns);
      for (let i = i0; i < iEnd; i++) {
        for (let j = j0; j < jEnd; j++) out[j * rows + i] = a[i * columns + j]!;
      }
    }
  }
  return out;
}
