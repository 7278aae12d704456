import { describe, expect, it } from "vitest";
import { seededRandom } from "../linalg/random.js";
import { choose, samplingProbabilities } from "./sampling.js";

const z = Float32Array.of(2, 1, 0, 1, -3);
const e = Math.exp;

describe("samplingProbabilities", () => {
  const rounded = (p: Float64Array) => Array.from(p, (value) => Math.round(value * 1e12) / 1e12);
  const shares = (...weights: number[]) => {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return rounded(Float64Array.from(weights, (weight) => weight / sum));
  };

  it.each([
    ["as they are", {}, shares(e(2), e(1), 1, e(1), e(-3))],
    ["cooled", { temperature: 0.5 }, shares(e(4), e(2), 1, e(2), e(-6))],
    ["greedy", { temperature: 0, topK: 3, topP: 0.5 }, [1, 0, 0, 0, 0]],
    ["cut to k, with what is as likely as the last of them", { topK: 2 }, shares(e(2), e(1), 0, e(1), 0)],
    ["cut to more than there are", { topK: 9 }, shares(e(2), e(1), 1, e(1), e(-3))],
    // p = 0.530, 0.195, 0.072, 0.195, 0.004
    ["cut to a share: the first that reach it, of equals the lower id", { topP: 0.7 }, shares(e(2), e(1), 0, 0, 0)],
    ["cut to less than the likeliest has", { topP: 0.1 }, [1, 0, 0, 0, 0]],
    ["cut to k, then to a share of what is left", { topK: 3, topP: 0.6 }, shares(e(2), e(1), 0, 0, 0)],
  ])("%s", (_name, sampling, wanted) => {
    expect(rounded(samplingProbabilities(z, sampling))).toEqual(wanted);
  });

  it("bears logits of any size", () => {
    expect(rounded(samplingProbabilities([-1e30, 3e38, 3e38], {}))).toEqual([0, 0.5, 0.5]);
  });
});

describe("choose", () => {
  it("draws each id as often as its probability says", () => {
    const random = seededRandom(1);
    const draws = 100_000;
    const counts = new Float64Array(z.length);
    for (let i = 0; i < draws; i++) counts[choose(z, {}, random)]! += 1;
    samplingProbabilities(z, {}).forEach((p, id) => {
      expect(Math.abs(counts[id]! / draws - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
    });
  });

  it("never draws what was cut, whatever random numbers there are", () => {
    const random = seededRandom(2);
    for (let i = 0; i < 1000; i++) expect([0, 1]).toContain(choose(z, { topP: 0.7 }, random));
    for (const drawn of [0, 1 - 2 ** -32]) expect([0, 1]).toContain(choose(z, { topP: 0.7 }, () => drawn));
  });

  it("chooses the same where other ids were changed, unless one of these wins", () => {
    const random = seededRandom(3);
    const rarer = z.map((value, id) => (id === 1 ? value - 2 : value));
    const counts = { same: 0, other: 0 };
    for (let i = 0; i < 2000; i++) {
      const drawn = random();
      const [before, after] = [choose(z, {}, () => drawn), choose(rarer, {}, () => drawn)];
      if (before !== 1) expect(after).toBe(before);
      counts[before === after ? "same" : "other"]++;
    }
    expect(counts.other).toBeGreaterThan(100);
  });
});
