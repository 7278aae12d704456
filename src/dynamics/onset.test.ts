import { expect, test } from "vitest";
import { seededRandom } from "../linalg/random.js";
import type { Convergence, Probe } from "./dynamics.js";
import { onset, passing } from "./onset.js";

test("passing is between two checkpoints, on the scale of log(1 + step)", () => {
  const found = passing([0, 1, 3, 7], [0, 0.2, 0.6, 1], 0.5);
  expect(found.step).toBe(3);
  // A quarter past 0.4 of 0.2 to 0.6: 0.75 of the way from log 2 to log 4.
  expect(found.interpolatedStep).toBeCloseTo(2 * 2 ** 0.75 - 1, 12);
  expect(passing([4, 9], [0.8, 1], 0.5)).toEqual({ step: 4, interpolatedStep: 4 });
  expect(passing([0, 1], [-0.2, -0.1], 0.5)).toEqual({ step: null, interpolatedStep: null });
});

/** Probes whose held-out errors fall from 1 to `floor` over the checkpoints, with noise that differs between tokens. */
function probesOf(steps: number[], r2: number[], noise: number): Probe[] {
  const random = seededRandom(3);
  const spread = Float64Array.from({ length: 200 }, () => 1 + noise * (random() - 0.5));
  const mean = spread.reduce((sum, value) => sum + value, 0) / 200;
  return steps.map(
    (step, k) =>
      ({
        step,
        crossValidatedR2: r2[k],
        groups: { heldOut: spread.map((value) => ((1 - r2[k]!) * value) / mean), total: new Float64Array(200).fill(1) },
      }) as unknown as Probe,
  );
}

const steps = [0, 1, 3, 7, 15, 31];
const part = (name: string, pathShare: number[]) => ({ name, pathShare });
const convergence = {
  steps,
  layers: [
    part("layer 0", [0, 0, 0.1, 0.2, 0.5, 1]),
    part("layer 1", [0, 0, 0.1, 0.2, 0.3, 1]),
    part("layer 2", [0, 0, 0, 0, 0.25, 1]),
  ],
} as unknown as Convergence;

test("gives the ratio of the two onsets with an interval around it, the same for the same seed", () => {
  const probes = probesOf(steps, [0, 0.2, 0.4, 0.8, 0.8, 0.8], 1);
  const { finalR2, shares } = onset(probes, convergence, 0);
  expect(finalR2).toBe(0.8);
  expect(shares[50].encoding).toMatchObject({ step: 3, interpolatedStep: expect.closeTo(3, 9) });
  const median = 2 ** (4 + 2 / 7) - 1;
  expect(shares[50].layers.map(({ interpolatedStep }) => interpolatedStep)).toEqual([
    expect.closeTo(15, 9),
    expect.closeTo(median, 9),
    expect.closeTo(2 ** (4 + 1 / 3) - 1, 9),
  ]);
  const { ratio, interval } = shares[50].timesEarlier!;
  expect(ratio).toBeCloseTo((1 + median) / 4, 9);
  expect(interval.low).toBeLessThanOrEqual(ratio);
  expect(interval.high).toBeGreaterThanOrEqual(ratio);
  expect(interval.high / interval.low).toBeGreaterThan(1);
  expect(onset(probes, convergence, 0)).toEqual(onset(probes, convergence, 0));
});

test("the interval of the encoding's onset shrinks with the spread between tokens", () => {
  const width = (noise: number) => {
    const { low, high } = onset(probesOf(steps, [0, 0.2, 0.5, 0.8, 0.85, 0.8], noise), undefined, 0).shares[50].encoding
      .interval!;
    return high - low;
  };
  expect(width(0)).toBeLessThan(1e-9);
  expect(width(2)).toBeGreaterThan(2 * width(0.5));
});

test("without the other parameters, or without a readout, there is no ratio", () => {
  expect(onset(probesOf(steps, [0, 0.2, 0.4, 0.8, 0.8, 0.8], 1), undefined, 0).shares[50].timesEarlier).toBeNull();
  const none = onset(probesOf(steps, [0, 0, 0, 0, 0, -0.1], 1), convergence, 0).shares[90];
  expect(none).toMatchObject({ timesEarlier: null, encoding: { step: null, interval: null } });
});
