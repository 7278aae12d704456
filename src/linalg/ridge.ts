import { cholesky, solveFactored } from "./cholesky.js";

/**
 * x = (A + lambda I)^-1 b of a symmetric positive semi-definite A, both in place: b becomes x, and the lower triangle of
 * a [order, order] the Cholesky factor of A + lambda I. With A = mean h h' and b = mean h it minimises
 * mean (x.h - 1)^2 + lambda |x|^2 (Hoerl & Kennard 1970).
 */
export function solveRidge(a: Float64Array, order: number, lambda: number, b: Float64Array): void {
  for (let i = 0; i < order; i++) a[i * order + i]! += lambda;
  cholesky(a, order);
  solveFactored(a, order, b);
}
