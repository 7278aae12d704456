import { cholesky, solveFactored } from "../../linalg/cholesky.js";
import type { MatrixProduct } from "../../linalg/matrix-product.js";

/** What h counts as behind gates, and how a loss of it changes with them. */
export interface GatedPrediction {
  /** L, [d, d]: x' = L x. */
  readonly map: Float64Array;
  /** From a loss's gradient by L [d, d], its gradient by the gates, [d]; 0 for those that are shut. */
  gradient(byMap: Float64Array): Promise<Float64Array>;
}

/** Added to the variances of what is predicted from: against coordinates that the others give away. */
const ridge = 1e-6;

/**
 * The best linear prediction of x, d numbers of variance 1, from gated ones: from g_i x_i + sqrt(1 - g_i^2) noise, as which a number
 * whose gate is g_i counts here. Where every gate is 0 or 1, that is least squares on the open ones: L = R D (D R D + I - D^2)^-1 D.
 * @param correlation R, [d, d] @param gates g, [d], in [0, 1]
 */
export async function gatedPrediction(
  correlation: Float64Array,
  gates: Float64Array,
  product: MatrixProduct,
): Promise<GatedPrediction> {
  const d = gates.length;
  const open = Array.from(gates.keys()).filter((i) => gates[i]! > 0);
  const k = open.length;
  if (k === 0) return { map: new Float64Array(d * d), gradient: async () => new Float64Array(d) };
  const inner = submatrix(correlation, d, open, open);
  const inverse = inverseOf(
    inner.map((value, at) => {
      const [a, b] = [Math.floor(at / k), at % k];
      const [first, second] = [gates[open[a]!]!, gates[open[b]!]!];
      return a === b ? 1 + ridge : first * second * value;
    }),
    k,
  );
  /** D X D, X the inverse. */
  const gated = scaled(inverse, open, open, gates);
  const rows = Array.from({ length: d }, (_, i) => i);
  const columns = submatrix(correlation, d, rows, open);
  const part = await product(columns, gated, d, k, k);
  const map = new Float64Array(d * d);
  for (let i = 0; i < d; i++) for (const [b, j] of open.entries()) map[i * d + j] = part[i * k + b]!;
  return { map, gradient };

  async function gradient(byMap: Float64Array): Promise<Float64Array> {
    const pull = await product(submatrix(correlation, d, open, rows), submatrix(byMap, d, rows, open), k, d, k);
    const both = pull.map((value, at) => (value + pull[(at % k) * k + Math.floor(at / k)]!) / 2);
    // X D W D X, W the symmetric part.
    const half = await product(inverse, scaled(both, open, open, gates), k, k, k);
    const inside = await product(half, inverse, k, k, k);
    const out = new Float64Array(d);
    for (const [a, i] of open.entries()) {
      let sum = 0;
      for (const [b, j] of open.entries()) {
        const at = a * k + b;
        // The diagonal of what is inverted is 1 whatever the gates are.
        sum += gates[j]! * (both[at]! * inverse[at]! - (a === b ? 0 : inside[at]! * inner[at]!));
      }
      out[i] = 2 * sum;
    }
    return out;
  }
}

function submatrix(a: Float64Array, d: number, rows: readonly number[], columns: readonly number[]): Float64Array {
  const out = new Float64Array(rows.length * columns.length);
  let at = 0;
  for (const i of rows) for (const j of columns) out[at++] = a[i * d + j]!;
  return out;
}

/** D A D of the open gates. */
function scaled(a: Float64Array, rows: readonly number[], columns: readonly number[], gates: Float64Array) {
  const k = columns.length;
  return a.map((value, at) => gates[rows[Math.floor(at / k)]!]! * value * gates[columns[at % k]!]!);
}

/** Of a positive definite matrix, [k, k]; `a` is overwritten. */
function inverseOf(a: Float64Array, k: number): Float64Array {
  cholesky(a, k);
  const out = new Float64Array(k * k);
  for (let j = 0; j < k; j++) {
    const column = out.subarray(j * k, (j + 1) * k);
    column[j] = 1;
    solveFactored(a, k, column);
  }
  return out;
}
