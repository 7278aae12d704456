import { InputError } from "../errors.js";
import { norm } from "../linalg/dot.js";
import type { Gram } from "../linalg/gram.js";
import type { Matrix } from "../tensor/matrix.js";
import { kMeans } from "./k-means.js";
import { principalCoordinates } from "./principal-coordinates.js";

/** How alike two distributions are. */
export interface Mauve {
  /** Area under the divergence curve, in (0, 1]: 1 where both distributions are the same. */
  mauve: number;
  /** Frontier integral (Liu et al. 2021, arXiv 2106.07898), in [0, 1]: 0 where they are the same. */
  frontierIntegral: number;
}

/** MAUVE of two sets of texts, averaged over several clusterings. */
export interface MauveOfFeatures extends Mauve {
  /** The same for every k-means seed; `mauve` and `frontierIntegral` are their means. */
  seeds: Mauve[];
  clusters: number;
  /** Principal components that hold the asked share of the variance. */
  components: number;
}

/** How features are made into histograms. */
export interface MauveOptions {
  /** k. Default: a tenth of the smaller set, at least 2. */
  clusters?: number | undefined;
  /** Share of the variance that the principal components kept must hold. Default 0.9. */
  explainedVariance?: number | undefined;
  /** c of the divergence curve. Default 5. */
  scaling?: number | undefined;
  /** How many seeds of k-means to average over. Default 5. */
  seeds?: number | undefined;
  /** First of them. Default 0. */
  seed?: number | undefined;
  /** What multiplies the features with themselves. Default: plain JavaScript. */
  gram?: Gram | undefined;
}

const mixtureWeights = 25;
const smallestWeight = 1e-6;
const kMeansRestarts = 5;
const kMeansIterations = 500;

/**
 * MAUVE of two histograms over the same bins (Pillutla et al. 2021, arXiv 2102.01454, equations 1 and 2): the area under
 * the curve of (exp(-c KL(Q || R)), exp(-c KL(P || R))) for mixtures R = w P + (1 - w) Q, w from 1e-6 to 1 - 1e-6 in 25
 * even steps, with the ends (1, 0) and (0, 1); the mean of integrating along one axis and along the other, by trapezoids.
 * @param p weights of the bins, divided by their sum @param q likewise @param scaling c
 * @throws InputError if they differ in length, or hold negative numbers or nothing but zeros
 */
export function mauveFromHistograms(p: ArrayLike<number>, q: ArrayLike<number>, scaling = 5): Mauve {
  if (p.length !== q.length) {
    throw new InputError("histograms", `have ${p.length} and ${q.length} bins; they must have the same`);
  }
  if (!(scaling > 0)) throw new InputError("scaling", `is ${scaling}; a number above 0 is wanted`);
  const [a, b] = [normalized(p, "p"), normalized(q, "q")];
  const curve = divergenceCurve(a, b, scaling);
  const swapped = curve.map(([x, y]) => [y, x] as const);
  return { mauve: (area(curve) + area(swapped)) / 2, frontierIntegral: frontierIntegral(a, b) };
}

/**
 * MAUVE of two sets of features, one row a text (its last hidden state): rows scaled to unit length, the principal
 * components of both sets together that hold 90% of the variance, k-means of both together, histograms over the clusters.
 * Clusters depend on the seed, and MAUVE of small sets much on the clusters, so several are run.
 * @param p features [n, d] @param q features [m, d]
 * @throws InputError if the sets differ in d, have fewer than two rows or hold numbers that are not finite
 */
export async function mauveFromFeatures(p: Matrix, q: Matrix, options: MauveOptions = {}): Promise<MauveOfFeatures> {
  const { explainedVariance = 0.9, scaling = 5, seeds = 5, seed = 0 } = options;
  const { clusters = Math.max(2, Math.round(Math.min(p.rows, q.rows) / 10)) } = options;
  checkFeatures(p, q, clusters, explainedVariance, seeds);
  const features = unitRows(p, q);
  const coordinates = await principalCoordinates(features, explainedVariance, options.gram);
  const perSeed = Array.from({ length: seeds }, (_, index) => {
    const labels = kMeans(coordinates, clusters, {
      seed: seed + index,
      restarts: kMeansRestarts,
      maxIterations: kMeansIterations,
    }).labels;
    const histogram = (from: number, to: number) => {
      const counts = new Float64Array(clusters);
      for (const label of labels.subarray(from, to)) counts[label]! += 1;
      return counts;
    };
    return mauveFromHistograms(histogram(0, p.rows), histogram(p.rows, p.rows + q.rows), scaling);
  });
  const mean = (value: (one: Mauve) => number) => perSeed.reduce((sum, one) => sum + value(one), 0) / seeds;
  return {
    mauve: mean((one) => one.mauve),
    frontierIntegral: mean((one) => one.frontierIntegral),
    seeds: perSeed,
    clusters,
    components: coordinates.columns,
  };
}

type Point = readonly [number, number];

function divergenceCurve(p: Float64Array, q: Float64Array, scaling: number): Point[] {
  const inner = Array.from({ length: mixtureWeights }, (_, step): Point => {
    const w = smallestWeight + (step / (mixtureWeights - 1)) * (1 - 2 * smallestWeight);
    const mixture = p.map((value, bin) => w * value + (1 - w) * q[bin]!);
    return [Math.exp(-scaling * klOfHistograms(q, mixture)), Math.exp(-scaling * klOfHistograms(p, mixture))];
  });
  return [[1, 0], ...inner, [0, 1]];
}

/** KL in nats; the mixture is above 0 wherever p is. */
function klOfHistograms(p: Float64Array, mixture: Float64Array): number {
  let sum = 0;
  for (let bin = 0; bin < p.length; bin++) if (p[bin]! > 0) sum += p[bin]! * Math.log(p[bin]! / mixture[bin]!);
  return sum;
}

/** Area under the points of a falling curve, by trapezoids between neighbours in x. */
function area(points: readonly Point[]): number {
  const rising = points.toSorted(([x0, y0], [x1, y1]) => x0 - x1 || y1 - y0);
  let sum = 0;
  for (let i = 1; i < rising.length; i++) {
    const [[x0, y0], [x1, y1]] = [rising[i - 1]!, rising[i]!];
    sum += ((x1 - x0) * (y0 + y1)) / 2;
  }
  return sum;
}

/**
 * Liu et al. 2021, arXiv 2106.07898, section 2: 2 integral over w in [0, 1] of w KL(P || R) + (1 - w) KL(Q || R) with
 * R = w P + (1 - w) Q, bin by bin in closed form.
 */
function frontierIntegral(p: Float64Array, q: Float64Array): number {
  return p.reduce((sum, value, bin) => sum + frontierTerm(value, q[bin]!), 0);
}

function frontierTerm(p: number, q: number): number {
  if (p === 0 || q === 0) return (p + q) / 2;
  // (p + q)/2 - p q ln(p/q) / (p - q): for p near q its series in t = (p - q)/(p + q) cancels nothing.
  const t = (p - q) / (p + q);
  const s = (p + q) / 2;
  if (Math.abs(t) < 0.01) return s * t ** 2 * (2 / 3 + t ** 2 * (2 / 15));
  return s - (p * q * Math.log(p / q)) / (p - q);
}

function normalized(weights: ArrayLike<number>, name: string): Float64Array {
  const values = Float64Array.from(weights);
  const sum = values.reduce((total, value) => total + value, 0);
  const bad = values.findIndex((value) => !(value >= 0));
  if (bad >= 0) throw new InputError(`histogram ${name}`, `bin ${bad} is ${values[bad]}; numbers from 0 up are wanted`);
  if (!(sum > 0 && sum < Number.POSITIVE_INFINITY)) {
    throw new InputError(`histogram ${name}`, `its bins sum to ${sum}; a finite number above 0 is wanted`);
  }
  return values.map((value) => value / sum);
}

function checkFeatures(p: Matrix, q: Matrix, clusters: number, explainedVariance: number, seeds: number): void {
  if (p.columns !== q.columns) {
    throw new InputError("features", `have ${p.columns} and ${q.columns} columns; they must have the same`);
  }
  if (p.rows < 2 || q.rows < 2 || p.columns < 1) {
    throw new InputError("features", `of ${p.rows} and ${q.rows} texts; each set needs at least two`);
  }
  if (!Number.isInteger(clusters) || clusters < 2 || clusters > p.rows + q.rows) {
    throw new InputError("clusters", `is ${clusters}; 2 to ${p.rows + q.rows}, the number of texts, are possible`);
  }
  if (!(explainedVariance > 0 && explainedVariance <= 1)) {
    throw new InputError("explainedVariance", `is ${explainedVariance}; a share above 0, at most 1, is wanted`);
  }
  if (!Number.isInteger(seeds) || seeds < 1) throw new InputError("seeds", `is ${seeds}; at least 1 is wanted`);
  for (const [name, { data, columns }] of [["p", p] as const, ["q", q] as const]) {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new InputError(`features ${name}`, `text ${Math.floor(bad / columns)} holds ${data[bad]}`);
    }
  }
}

/** Both sets below one another, each row divided by its Euclidean norm (zero rows stay), float64. */
function unitRows(p: Matrix, q: Matrix): Matrix<Float64Array> {
  const { columns } = p;
  const rows = p.rows + q.rows;
  const data = new Float64Array(rows * columns);
  data.set(p.data);
  data.set(q.data, p.data.length);
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * columns, (i + 1) * columns);
    const length = norm(row);
    if (length > 0)
      row.forEach((value, j) => {
        row[j] = value / length;
      });
  }
  return { rows, columns, data };
}
