import { addMultiple, dot } from "../linalg/dot.js";
import { permutation, type Random, seededRandom } from "../linalg/random.js";
import type { Matrix } from "../tensor/matrix.js";

export interface KMeansOptions {
  /** The same seed gives the same clusters on every machine. */
  seed: number;
  /** The best of so many starts is kept. */
  restarts: number;
  /** Each start ends when no point moves any more, or after so many rounds. */
  maxIterations: number;
}

export interface Clusters {
  /** Cluster of every point, [n]. */
  labels: Int32Array;
  /** [k, d] row-major. */
  centroids: Float64Array;
  /** Sum of squared distances of the points to their centroids. */
  inertia: number;
}

/**
 * k-means by Lloyd's iteration (IEEE Trans. Inf. Theory 28, 1982) in float64, started from k of the points at random: the
 * reference implementation of MAUVE starts so, and k-means++ gives other values (0.30 for 0.32 on the same features). A
 * cluster that loses all its points starts anew at the point that is furthest from its own centroid.
 * @param points [n, d]  @param k at most n
 */
export function kMeans(
  points: Matrix<Float64Array>,
  k: number,
  { seed, restarts, maxIterations }: KMeansOptions,
): Clusters {
  const random = seededRandom(seed);
  let best: Clusters | undefined;
  for (let start = 0; start < restarts; start++) {
    const found = lloyd(points, randomCentroids(points, k, random), maxIterations);
    if (best === undefined || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** k of the points at random. */
function randomCentroids({ rows, columns, data }: Matrix<Float64Array>, k: number, random: Random): Float64Array {
  const centroids = new Float64Array(k * columns);
  const chosen = permutation(rows, random);
  for (let c = 0; c < k; c++) {
    centroids.set(data.subarray(chosen[c]! * columns, (chosen[c]! + 1) * columns), c * columns);
  }
  return centroids;
}

function lloyd(points: Matrix<Float64Array>, centroids: Float64Array, maxIterations: number): Clusters {
  const { rows, columns, data } = points;
  const labels = new Int32Array(rows).fill(-1);
  const distances = new Float64Array(rows);
  const negligible = roundingOfDistances(points);
  const k = centroids.length / columns;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (assign(points, centroids, labels, distances) === 0) break;
    fillEmpty(labels, distances, k, negligible);
    moveToMeans(points, centroids, labels);
  }
  let inertia = 0;
  for (let i = 0; i < rows; i++) {
    inertia += squaredDistance(data, i * columns, centroids, labels[i]! * columns, columns);
  }
  return { labels, centroids, inertia };
}

/** Puts every point to its nearest centroid, the first of them where several are. @returns how many changed theirs */
function assign(
  { rows, columns, data }: Matrix<Float64Array>,
  centroids: Float64Array,
  labels: Int32Array,
  distances: Float64Array,
): number {
  const k = centroids.length / columns;
  const halfNorms = Float64Array.from(
    { length: k },
    (_, c) => dot(centroids, c * columns, centroids, c * columns, columns) / 2,
  );
  let changed = 0;
  for (let i = 0; i < rows; i++) {
    // |x - c|^2 / 2 without |x|^2 / 2, which is the same for every c.
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let c = 0; c < k; c++) {
      const distance = halfNorms[c]! - dot(data, i * columns, centroids, c * columns, columns);
      if (distance < least) {
        least = distance;
        nearest = c;
      }
    }
    if (labels[i] !== nearest) changed++;
    labels[i] = nearest;
    distances[i] = squaredDistance(data, i * columns, centroids, nearest * columns, columns);
  }
  return changed;
}

/** What rounding makes of the squared distance between a point and the mean of its copies. */
function roundingOfDistances({ rows, columns, data }: Matrix<Float64Array>): number {
  let largest = 0;
  for (let i = 0; i < rows; i++) largest = Math.max(largest, dot(data, i * columns, data, i * columns, columns));
  return largest * (rows * Number.EPSILON) ** 2;
}

/** Gives every empty cluster the point that is furthest from its centroid, of those that leave no cluster empty. */
function fillEmpty(labels: Int32Array, distances: Float64Array, k: number, negligible: number): void {
  const counts = new Int32Array(k);
  for (const label of labels) counts[label]! += 1;
  for (let c = 0; c < k; c++) {
    if (counts[c]! > 0) continue;
    let furthest = -1;
    let most = negligible;
    for (const [i, distance] of distances.entries()) {
      if (distance <= most || counts[labels[i]!]! === 1) continue;
      most = distance;
      furthest = i;
    }
    if (furthest < 0) return;
    counts[labels[furthest]!]! -= 1;
    counts[c] = 1;
    labels[furthest] = c;
    distances[furthest] = 0;
  }
}

/** Moves every centroid that has points to their mean. */
function moveToMeans({ rows, columns, data }: Matrix<Float64Array>, centroids: Float64Array, labels: Int32Array): void {
  const k = centroids.length / columns;
  const sums = new Float64Array(centroids.length);
  const counts = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    const c = labels[i]!;
    counts[c]! += 1;
    addMultiple(sums, c * columns, 1, data, i * columns, columns);
  }
  for (let c = 0; c < k; c++) {
    if (counts[c] === 0) continue;
    for (let j = c * columns; j < (c + 1) * columns; j++) centroids[j] = sums[j]! / counts[c]!;
  }
}

function squaredDistance(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let sum = 0;
  for (let j = 0; j < length; j++) sum += (a[aStart + j]! - b[bStart + j]!) ** 2;
  return sum;
}
