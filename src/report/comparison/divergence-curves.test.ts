import { expect, test } from "vitest";
import { divergenceBins, exceedance } from "./divergence-curves.js";

test("bins hold every context that differs, in equal steps of the logarithm", () => {
  const bins = divergenceBins(Float32Array.of(0, -1e-12, 1.1e-3, 1.2e-3, 0.02, 0.9));
  expect(bins[0]!.from).toBeCloseTo(1e-3, 9);
  expect(bins.at(-1)!.to).toBeCloseTo(1, 9);
  expect(bins).toHaveLength(15);
  expect(bins.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(4 / 6, 12);
  expect(bins[0]!.share).toBeCloseTo(2 / 6, 12);
  for (const [i, { to }] of bins.entries()) if (i + 1 < bins.length) expect(to).toBe(bins[i + 1]!.from);
  expect(divergenceBins(new Float32Array(5))).toEqual([]);
});

test("one context in ten reaches the ninth decile", () => {
  const curve = exceedance(Float32Array.from({ length: 1000 }, (_, i) => (i + 1) / 1000).reverse());
  expect(curve.length).toBeLessThanOrEqual(240);
  for (const { share, value } of curve) expect(value).toBeCloseTo(1.001 - share, 6);
  expect(curve[0]).toEqual({ share: 1 / 1000, value: 1 });
  expect(exceedance(Float32Array.of(0, 0.5))).toEqual([{ share: 0.5, value: 0.5 }]);
  expect(exceedance(new Float32Array())).toEqual([]);
});
