import { solveLowerTransposed } from "./cholesky.js";
import { addMultiple, dot, norm } from "./dot.js";
import { pivotedQr } from "./qr.js";

/** The pseudo-inverse of a matrix X known by its triangular factor (X = Q R), for least squares of smallest norm. */
export interface MinimumNorm {
  rank: number;
  /** Lower triangular [rank, rank], L L' = the cross products of the independent columns, each scaled to norm 1. */
  lower: Float64Array;
  /** X^+ b for every b given, [order] each: of all least-squares solutions the one of smallest norm. */
  solutions: Float64Array[];
  /** T [order, rank] row-major, with T T' = (X'X)^+. */
  inverseFactor(): Float64Array;
}

/**
 * Least squares of smallest norm by QR with column pivoting (Golub & Van Loan, 5.5). Rank is decided on columns scaled to
 * norm 1, so that it does not depend on their units; the norm of the solution is that of X's own units.
 * @param triangle R, upper triangular row-major [order, order]
 * @param rightSides Q'b [order] each
 * @param negligible squared column norms at or below which a column is zero, [order]
 */
export function minimumNorm(
  triangle: Float64Array,
  order: number,
  rightSides: readonly Float64Array[],
  negligible: Float64Array,
  tolerance: number,
): MinimumNorm {
  const { active, scales, columns } = scaledColumns(triangle, order, negligible);
  const { rank, pivots, factor, rotated } = pivotedQr(columns, order, active.length, rightSides, tolerance);
  const lower = new Float64Array(rank * rank);
  for (let i = 0; i < rank; i++) {
    for (let k = i; k < rank; k++) lower[k * rank + i] = factor[i * active.length + k]!;
  }
  /** In X's own units: x[k] is the scaled coefficient of pivot k. */
  const unscale = (x: Float64Array): Float64Array => {
    const solution = new Float64Array(order);
    for (let k = 0; k < x.length; k++) {
      const column = active[pivots[k]!]!;
      solution[column] = x[k]! / scales[column]!;
    }
    return solution;
  };
  const nullSpace: Float64Array[] = [];
  for (let k = rank; k < active.length; k++) {
    const x = new Float64Array(active.length);
    for (let i = 0; i < rank; i++) x[i] = -factor[i * active.length + k]!;
    solveLowerTransposed(lower, rank, x);
    x[k] = 1;
    const direction = unscale(x);
    const length = norm(direction);
    nullSpace.push(direction.map((value) => value / length));
  }
  orthonormalize(nullSpace);
  const smallest = (coefficients: Float64Array): Float64Array => {
    solveLowerTransposed(lower, rank, coefficients);
    const solution = unscale(coefficients);
    for (const direction of nullSpace)
      addMultiple(solution, 0, -dot(solution, 0, direction, 0, order), direction, 0, order);
    return solution;
  };
  return {
    rank,
    lower,
    solutions: rotated.map(smallest),
    inverseFactor() {
      const out = new Float64Array(order * rank);
      for (let k = 0; k < rank; k++) {
        const unit = new Float64Array(rank);
        unit[k] = 1;
        const column = smallest(unit);
        for (let i = 0; i < order; i++) out[i * rank + k] = column[i]!;
      }
      return out;
    },
  };
}

function scaledColumns(triangle: Float64Array, order: number, negligible: Float64Array) {
  const all = new Float64Array(order * order);
  const scales = new Float64Array(order);
  const active: number[] = [];
  for (let j = 0; j < order; j++) {
    const at = active.length * order;
    for (let i = 0; i <= j; i++) all[at + i] = triangle[i * order + j]!;
    const squares = dot(all, at, all, at, order);
    if (!(squares > negligible[j]!)) {
      all.fill(0, at, at + order);
      continue;
    }
    scales[j] = Math.sqrt(squares);
    for (let i = 0; i <= j; i++) all[at + i]! /= scales[j]!;
    active.push(j);
  }
  return { active, scales, columns: all.subarray(0, active.length * order) };
}

/** Gram-Schmidt, twice over, which is enough (Kahan & Parlett). Changes the vectors. */
function orthonormalize(vectors: readonly Float64Array[]): void {
  for (const [index, vector] of vectors.entries()) {
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of vectors.slice(0, index)) {
        addMultiple(vector, 0, -dot(vector, 0, earlier, 0, vector.length), earlier, 0, vector.length);
      }
      const length = norm(vector);
      for (let i = 0; i < vector.length; i++) vector[i]! /= length;
    }
  }
}
