import { roundUpToFour, rowProducts } from "./row-products.js";

/**
 * X'X of a row-major block X [rows, columns], as a full symmetric row-major [columns, columns].
 * What takes one as a parameter can run on any engine that multiplies float64 matrices.
 */
export type Gram = (block: Float64Array, rows: number, columns: number) => Promise<Float64Array>;

/** Rows transposed at a time: 256 x 8 bytes x 4 columns stay in the first-level cache while four others pass by. */
const stripRows = 256;

/** X'X in plain JavaScript. */
export async function gram(block: Float64Array, rows: number, columns: number): Promise<Float64Array> {
  const padded = roundUpToFour(columns);
  const strip = new Float64Array(padded * stripRows);
  const tile = new Float64Array(16);
  const out = new Float64Array(columns * columns);
  for (let start = 0; start < rows; start += stripRows) {
    const count = Math.min(stripRows, rows - start);
    transposeStrip(block, start, count, columns, strip);
    for (let i = 0; i < columns; i += 4) {
      for (let j = 0; j <= i; j += 4) {
        rowProducts(strip, i * stripRows, stripRows, strip, j * stripRows, stripRows, count, tile);
        addTile(out, columns, i, j, tile);
      }
    }
  }
  mirrorLower(out, columns);
  return out;
}

function transposeStrip(block: Float64Array, start: number, count: number, columns: number, strip: Float64Array): void {
  for (let j = 0; j < columns; j += 8) {
    const jEnd = Math.min(j + 8, columns);
    for (let r = 0; r < count; r++) {
      const row = (start + r) * columns;
      for (let k = j; k < jEnd; k++) strip[k * stripRows + r] = block[row + k]!;
    }
  }
}

function addTile(out: Float64Array, columns: number, i: number, j: number, tile: Float64Array): void {
  const height = Math.min(4, columns - i);
  const width = Math.min(4, columns - j);
  for (let r = 0; r < height; r++) {
    const row = (i + r) * columns + j;
    for (let s = 0; s < width; s++) out[row + s]! += tile[4 * r + s]!;
  }
}

/** Copies the lower triangle of a square matrix onto its upper one. */
function mirrorLower(a: Float64Array, order: number): void {
  for (let i = 0; i < order; i++) {
    for (let j = 0; j < i; j++) a[j * order + i] = a[i * order + j]!;
  }
}
