import type { MatrixProduct } from "../matrix-product.js";
import { transposed } from "../matrix-product.js";
import type { Tridiagonal } from "./tridiagonalize.js";

/** Reflections applied in one go: products of this inner width run at the engine's full rate. */
const blockSize = 256;

/**
 * Turns rows that are eigenvectors of the tridiagonal matrix into rows that are eigenvectors of the matrix itself, in
 * place: x becomes Q x. A block of reflections is I - V T V', T the inverse of the upper triangle of V'V with h on its
 * diagonal (Schreiber & Van Loan 1989; Puglisi 1992).
 * @param rows [order, order]
 */
export async function applyBlockReflections(
  product: MatrixProduct,
  rows: Float64Array,
  { reflectors, reciprocalNorms }: Pick<Tridiagonal, "reflectors" | "reciprocalNorms">,
  order: number,
): Promise<void> {
  for (let begin = 1; begin < order; begin += blockSize) {
    const end = Math.min(begin + blockSize, order);
    const count = end - begin;
    // The longest reflector of the block has end - 1 elements.
    const width = end - 1;
    const v = new Float64Array(count * width);
    for (let i = begin; i < end; i++) {
      v.set(reflectors.subarray(i * order, i * order + i), (i - begin) * width);
    }
    const vTransposed = transposed(v, count, width);
    const factor = invertedUpper(
      await product(v, vTransposed, count, width, count),
      reciprocalNorms.subarray(begin, end),
      count,
    );
    const touched = leadingColumns(rows, order, width);
    const along = await product(touched, vTransposed, order, width, count);
    const change = await product(along, await product(factor, v, count, count, width), order, count, width);
    for (let i = 0; i < order; i++) {
      const row = i * order;
      for (let j = 0; j < width; j++) rows[row + j]! -= change[i * width + j]!;
    }
  }
}

function leadingColumns(rows: Float64Array, order: number, width: number): Float64Array {
  const out = new Float64Array(order * width);
  for (let i = 0; i < order; i++) out.set(rows.subarray(i * order, i * order + width), i * width);
  return out;
}

/** T, upper triangular [count, count]; a reflection that was not needed (1/h = 0) has a zero row in V. */
function invertedUpper(gram: Float64Array, reciprocalNorms: Float64Array, count: number): Float64Array {
  const out = new Float64Array(count * count);
  for (let i = count - 1; i >= 0; i--) {
    const reciprocal = reciprocalNorms[i]!;
    const row = i * count;
    out[row + i] = reciprocal;
    for (let k = i + 1; k < count; k++) {
      const factor = -reciprocal * gram[row + k]!;
      for (let j = k; j < count; j++) out[row + j]! += factor * out[k * count + j]!;
    }
  }
  return out;
}
