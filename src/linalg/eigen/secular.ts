/**
 * Roots of the secular equation 1 + rho sum_j z_j^2 / (d_j - x) = 0, rho > 0, which are the eigenvalues of
 * diag(d) + rho z z': root i lies between d_i and d_(i+1), the last one above d_(k-1).
 */
export interface SecularRoots {
  /** Root i is d[origin[i]] + offset[i], with the nearer pole as its origin, so that its distance to it is exact. */
  origin: Int32Array;
  offset: Float64Array;
}

/** Each iteration at least halves a bracket now and then; the rational one takes about five. */
const maxIterations = 400;

/**
 * All roots, each to the last bits of its distance to the nearer pole: "the middle way" of R.-C. Li, Solving secular
 * equations stably and efficiently (LAPACK Working Note 89), inside a bracket.
 * @param d poles, rising and distinct [k]
 * @param z none zero [k]
 */
export function secularRoots(d: Float64Array, z: Float64Array, rho: number): SecularRoots {
  const k = d.length;
  const origin = new Int32Array(k);
  const offset = new Float64Array(k);
  let norm2 = 0;
  for (let j = 0; j < k; j++) norm2 += z[j]! * z[j]!;
  for (let i = 0; i < k; i++) {
    const last = i === k - 1;
    const gap = last ? rho * norm2 : d[i + 1]! - d[i]!;
    const halfway = last || valueAt(d, z, rho, i, gap / 2) >= 0;
    origin[i] = halfway ? i : i + 1;
    offset[i] = root(d, z, rho, i, origin[i]!, halfway ? 0 : -gap / 2, halfway ? (last ? gap : gap / 2) : 0);
  }
  return { origin, offset };
}

/** The secular function at d[origin] + offset. */
function valueAt(d: Float64Array, z: Float64Array, rho: number, origin: number, offset: number): number {
  let sum = 0;
  const pole = d[origin]!;
  for (let j = 0; j < d.length; j++) sum += (z[j]! * z[j]!) / (d[j]! - pole - offset);
  return 1 + rho * sum;
}

/** The root i as an offset from d[origin], between low and high, where the function rises from below 0 to above. */
function root(
  d: Float64Array,
  z: Float64Array,
  rho: number,
  i: number,
  origin: number,
  low: number,
  high: number,
): number {
  const k = d.length;
  const pole = d[origin]!;
  // The two poles that the rational approximation keeps: those beside the root, or the last two.
  const left = i === k - 1 ? Math.max(0, k - 2) : i;
  const right = Math.min(left + 1, k - 1);
  let below = low;
  let above = high;
  let x = (low + high) / 2;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    let psi = 0;
    let psiSlope = 0;
    for (let j = 0; j <= left; j++) {
      const term = z[j]! / (d[j]! - pole - x);
      psi += z[j]! * term;
      psiSlope += term * term;
    }
    let phi = 0;
    let phiSlope = 0;
    for (let j = left + 1; j < k; j++) {
      const term = z[j]! / (d[j]! - pole - x);
      phi += z[j]! * term;
      phiSlope += term * term;
    }
    const f = 1 / rho + psi + phi;
    // The sums' rounding: nothing smaller than it can be told from 0.
    if (Math.abs(f) <= 4 * Number.EPSILON * (1 / rho + Math.abs(psi) + Math.abs(phi))) return x;
    if (f < 0) below = x;
    else above = x;
    const toLeft = d[left]! - pole - x;
    const toRight = d[right]! - pole - x;
    const step = middleWay(f, psiSlope, phiSlope, toLeft, toRight, below - x, above - x);
    const next = Number.isFinite(step) ? x + step : (below + above) / 2;
    if (next === x || !(next > below && next < above)) {
      const middle = (below + above) / 2;
      if (middle === below || middle === above) return x;
      x = middle;
    } else {
      x = next;
    }
  }
  return x;
}

/** The step to the root of c + s / (toLeft - step) + S / (toRight - step) that lies inside the bracket, or NaN. */
function middleWay(
  f: number,
  psiSlope: number,
  phiSlope: number,
  toLeft: number,
  toRight: number,
  lowest: number,
  highest: number,
): number {
  const c = f - toLeft * psiSlope - toRight * phiSlope;
  const a = (toLeft + toRight) * f - toLeft * toRight * (psiSlope + phiSlope);
  const b = toLeft * toRight * f;
  const root = Math.sqrt(Math.max(0, a * a - 4 * b * c));
  // Both roots of c x^2 - a x + b without cancellation.
  const q = (a + (a < 0 ? -root : root)) / 2;
  const first = q / c;
  const second = b / q;
  const fits = (step: number) => step > lowest && step < highest;
  if (fits(first) && fits(second)) return Math.abs(first) < Math.abs(second) ? first : second;
  return fits(first) ? first : fits(second) ? second : Number.NaN;
}

/**
 * The vector z for which the computed roots are the exact eigenvalues of diag(d) + z z', with the given signs: the
 * eigenvectors (z_j / (d_j - x_i))_j are then orthogonal to rounding, however close the roots are (Gu & Eisenstat, A
 * stable and efficient algorithm for the rank-one modification of the symmetric eigenproblem, 1994).
 */
export function consistentVector(d: Float64Array, z: Float64Array, { origin, offset }: SecularRoots): Float64Array {
  const k = d.length;
  const squares = new Float64Array(k).fill(-1);
  for (let i = 0; i < k; i++) {
    const pole = d[origin[i]!]!;
    const own = d[i]!;
    for (let j = 0; j < k; j++) {
      const distance = d[j]! - pole - offset[i]!;
      squares[j]! *= j === i ? distance : distance / (d[j]! - own);
    }
  }
  return squares.map((square, j) => Math.sign(z[j]!) * Math.sqrt(Math.max(0, square)));
}

/** Row i is the unit eigenvector of root i, [k, k]. */
export function secularVectors(d: Float64Array, z: Float64Array, { origin, offset }: SecularRoots): Float64Array {
  const k = d.length;
  const vectors = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    const pole = d[origin[i]!]!;
    const row = i * k;
    let squares = 0;
    for (let j = 0; j < k; j++) {
      const element = z[j]! / (d[j]! - pole - offset[i]!);
      vectors[row + j] = element;
      squares += element * element;
    }
    const scale = 1 / Math.sqrt(squares);
    for (let j = 0; j < k; j++) vectors[row + j]! *= scale;
  }
  return vectors;
}
