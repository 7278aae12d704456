import { expect, test } from "vitest";
import { layerParts } from "./layer-parts.js";

const sizes = (bytesOfLayers: number[], bytes: number) =>
  layerParts(bytesOfLayers, bytes)?.map(({ first, end }) => end - first);

test("as few parts as fit, of even sizes, cover all layers in their order", () => {
  expect(sizes(Array(32).fill(1), 32)).toEqual([32]);
  expect(sizes(Array(32).fill(1), 31)).toEqual([16, 16]);
  expect(sizes(Array(32).fill(1), 13.5)).toEqual([11, 11, 10]);
  expect(sizes(Array(5).fill(1), 1)).toEqual([1, 1, 1, 1, 1]);
  expect(layerParts([1, 1, 1], 2)).toEqual([
    { first: 0, end: 2 },
    { first: 2, end: 3 },
  ]);
});

test("layers of different sizes fit too, and one that is too large is said", () => {
  for (const bytes of [5, 6, 7, 9, 12]) {
    const layers = [5, 1, 1, 1, 4, 1];
    const parts = layerParts(layers, bytes)!;
    for (const { first, end } of parts) {
      expect(layers.slice(first, end).reduce((a, b) => a + b)).toBeLessThanOrEqual(bytes);
    }
    expect(parts.flatMap(({ first, end }) => layers.slice(first, end))).toEqual(layers);
  }
  expect(layerParts([5, 1], 4)).toBeUndefined();
});
