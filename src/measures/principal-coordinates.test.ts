import { expect, test } from "vitest";
import { seededRandom } from "../linalg/random.js";
import { matrix } from "../tensor/matrix.js";
import { principalCoordinates } from "./principal-coordinates.js";

function randomMatrix(rows: number, columns: number) {
  const random = seededRandom(11);
  return matrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, (_, i) => (random() - 0.3) * (1 + (i % columns))),
  );
}

function distance({ columns, data }: { columns: number; data: Float64Array }, i: number, j: number): number {
  return Math.hypot(...Array.from({ length: columns }, (_, c) => data[i * columns + c]! - data[j * columns + c]!));
}

test.each([
  ["tall", 30, 6, 6],
  ["wide", 6, 30, 5],
])("all components of a %s matrix keep the distances", async (_, rows, columns, rank) => {
  const points = randomMatrix(rows, columns);
  const coordinates = await principalCoordinates(points, 1 - 1e-12);
  expect(coordinates.columns).toBe(rank);
  for (let i = 1; i < rows; i++) expect(distance(coordinates, i, 0)).toBeCloseTo(distance(points, i, 0), 10);
});

test("coordinates are uncorrelated, centred, of falling variance, and as many as hold the share", async () => {
  const points = randomMatrix(200, 8);
  const { columns, data } = await principalCoordinates(points, 0.9);
  const variance = (c: number, e: number) => {
    let sum = 0;
    for (let i = 0; i < 200; i++) sum += (data[i * columns + c]! * data[i * columns + e]!) / 200;
    return sum;
  };
  const all = await principalCoordinates(points, 1);
  const total = all.data.reduce((sum, x) => sum + (x * x) / 200, 0);
  const kept = Array.from({ length: columns }, (_, c) => variance(c, c));
  expect(kept).toEqual(kept.toSorted((x, y) => y - x));
  const share = kept.reduce((sum, x) => sum + x, 0) / total;
  expect(share).toBeGreaterThanOrEqual(0.9);
  expect(share - kept.at(-1)! / total).toBeLessThan(0.9);
  for (let c = 1; c < columns; c++) expect(Math.abs(variance(c, c - 1)) / total).toBeLessThan(1e-12);
});
