/** Two-sided p-value of Student's t: P(|T| > |t|) with that many degrees of freedom. */
export function studentTwoSided(t: number, degrees: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? Number.NaN : 0;
  const square = t * t;
  return regularizedBeta(degrees / (degrees + square), square / (degrees + square), degrees / 2, 0.5);
}

/** Upper tail of Fisher's F: P(F > f). */
export function fisherUpperTail(f: number, numeratorDegrees: number, denominatorDegrees: number): number {
  if (!(f > 0)) return Number.isNaN(f) ? Number.NaN : 1;
  if (f === Number.POSITIVE_INFINITY) return 0;
  const scaled = numeratorDegrees * f;
  const total = denominatorDegrees + scaled;
  return regularizedBeta(denominatorDegrees / total, scaled / total, denominatorDegrees / 2, numeratorDegrees / 2);
}

/**
 * Regularised incomplete beta function I_x(a, b), y = 1 - x given apart so that neither tail loses digits: its continued
 * fraction (DLMF 8.17.22), on the side where it converges fast.
 */
function regularizedBeta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const inner = x * (a + b + 2) < a + 1;
  return inner
    ? (betaPower(x, y, a, b) / a) * betaFraction(x, a, b)
    : 1 - (betaPower(y, x, b, a) / b) * betaFraction(y, b, a);
}

/** x^a (1 - x)^b / B(a, b), from its deviation from the largest value so that no large logarithms cancel. */
function betaPower(x: number, y: number, a: number, b: number): number {
  const deviation = b * x - a * y;
  const exponent =
    a * logRatio(deviation / a, (x * (a + b)) / a) +
    b * logRatio(-deviation / b, (y * (a + b)) / b) +
    stirlingError(a + b) -
    stirlingError(a) -
    stirlingError(b);
  return Math.sqrt((a * b) / (2 * Math.PI * (a + b))) * Math.exp(exponent);
}

/** ln(ratio) with ratio = 1 + excess, whichever of the two keeps its digits. */
function logRatio(excess: number, ratio: number): number {
  return Math.abs(excess) < 0.5 ? Math.log1p(excess) : Math.log(ratio);
}

/** ln Gamma(z) less Stirling's (z - 1/2) ln z - z + ln(2 pi) / 2 (DLMF 5.11.1), z > 0. */
function stirlingError(z: number): number {
  let error = 0;
  let at = z;
  for (; at < 15; at++) error += (at + 0.5) * Math.log1p(1 / at) - 1;
  const r = 1 / (at * at);
  return error + (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360)))))) / at;
}

/** Enough for degrees of freedom in the billions: the number of terms grows with their square root. */
const maxTerms = 200_000;

/** The fraction of DLMF 8.17.22 by Lentz's method, modified by Thompson & Barnett. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let value = d;
  for (let m = 1; m < maxTerms; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + even / c;
    if (Math.abs(c) < tiny) c = tiny;
    value *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + odd / c;
    if (Math.abs(c) < tiny) c = tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) <= Number.EPSILON) break;
  }
  return value;
}
