import { expect, test } from "vitest";
import { seededRandom } from "../linalg/random.js";
import { matrix } from "../tensor/matrix.js";
import { kMeans } from "./k-means.js";

const options = { seed: 3, restarts: 5, maxIterations: 500 };

function cloud(centres: number[][], perCentre: number, width: number) {
  const random = seededRandom(7);
  const data = centres.flatMap((centre) =>
    Array.from({ length: perCentre }, () => centre.map((x) => x + width * (random() - 0.5))).flat(),
  );
  return matrix(centres.length * perCentre, centres[0]!.length, Float64Array.from(data));
}

test("clouds that lie apart are found", () => {
  const centres = [
    [0, 0, 0],
    [10, 0, 0],
    [0, 10, 0],
    [0, 0, 10],
  ];
  const { labels, inertia } = kMeans(cloud(centres, 25, 1), 4, options);
  for (let c = 0; c < 4; c++) expect(new Set(labels.subarray(25 * c, 25 * c + 25)).size).toBe(1);
  expect(new Set(labels).size).toBe(4);
  // 100 points with a variance of 1/12 along each of three axes.
  expect(inertia).toBeGreaterThan(15);
  expect(inertia).toBeLessThan(35);
});

test("it ends where centroids are the means of the points that are nearest to them", () => {
  const points = cloud([[0, 0]], 200, 1);
  const { labels, centroids, inertia } = kMeans(points, 12, options);
  const sums = new Float64Array(24);
  const counts = new Float64Array(12);
  let wantedInertia = 0;
  for (const [i, label] of labels.entries()) {
    const [x, y] = [points.data[2 * i]!, points.data[2 * i + 1]!];
    const distances = Array.from(
      { length: 12 },
      (_, c) => (x - centroids[2 * c]!) ** 2 + (y - centroids[2 * c + 1]!) ** 2,
    );
    expect(distances[label]).toBeLessThan(Math.min(...distances) + 1e-15);
    wantedInertia += distances[label]!;
    counts[label]! += 1;
    sums[2 * label]! += x;
    sums[2 * label + 1]! += y;
  }
  for (const [index, sum] of sums.entries()) {
    expect(centroids[index]).toBeCloseTo(sum / counts[Math.floor(index / 2)]!, 12);
  }
  expect(inertia).toBeCloseTo(wantedInertia, 12);
});

test("the seed decides, and more starts are never worse", () => {
  const points = cloud([[0, 0]], 200, 1);
  const one = kMeans(points, 12, { ...options, restarts: 1 });
  expect(kMeans(points, 12, { ...options, restarts: 1 })).toEqual(one);
  expect(kMeans(points, 12, { ...options, restarts: 1, seed: 4 }).inertia).not.toBe(one.inertia);
  expect(kMeans(points, 12, { ...options, restarts: 10 }).inertia).toBeLessThanOrEqual(one.inertia);
});

test("no cluster stays empty while there are different points", () => {
  // Most starts choose several of the copies, and all but one of those lose every point.
  const data = new Float64Array(40);
  data.set([5, 6, 7, 8], 36);
  const { labels, inertia } = kMeans(matrix(40, 1, data), 5, { ...options, restarts: 1 });
  expect(new Set(labels).size).toBe(5);
  expect(inertia).toBe(0);
});

test("as many clusters as points, and points that are all the same", () => {
  expect(kMeans(cloud([[0, 0]], 9, 1), 9, options).inertia).toBe(0);
  expect(kMeans(matrix(6, 1, new Float64Array(6).fill(2)), 3, options).inertia).toBe(0);
});
