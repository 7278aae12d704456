import * as fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../linalg/random.js";
import type { TextBlocks } from "../solve/problem/fitting-text.js";
import { bestCombination, type CombinationProblem } from "./convex-combination.js";

const plainProducts: CombinationProblem["products"] = {
  async along(block, rows, m) {
    const d = rows.length / m;
    return Float64Array.from({ length: (m * block.length) / d }, (_, i) => {
      const n = block.length / d;
      return inner(block.subarray((i % n) * d, ((i % n) + 1) * d), rows.subarray(Math.floor(i / n) * d));
    });
  },
  async back(weights, block, m) {
    const d = (block.length / weights.length) * m;
    const n = block.length / d;
    return Float64Array.from({ length: m * d }, (_, i) => {
      let sum = 0;
      for (let t = 0; t < n; t++) sum += weights[Math.floor(i / d) * n + t]! * block[t * d + (i % d)]!;
      return sum;
    });
  },
  cross: () => Promise.reject(new Error("is not needed")),
  release: async () => {},
};

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** A head of n rows with biases, and N contexts. */
function randomProblem(seed: number, n: number, d: number, N: number, spread = 1) {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const rows = Float32Array.from({ length: n * d }, () => spread * normal());
  const biases = Float64Array.from({ length: n }, () => 0.3 * normal());
  const hidden = Float32Array.from({ length: N * d }, (_, i) => normal() + (i % d === 0 ? 1 : 0));
  const z = (t: number) =>
    Array.from(biases, (b, u) => inner(rows.subarray(u * d, (u + 1) * d), hidden.subarray(t * d, (t + 1) * d)) + b);
  const rest = Float64Array.from({ length: N }, (_, t) => logSumExp(z(t)));
  const weights = Float64Array.from({ length: N }, () => 0.1 + random());
  const total = weights.reduce((sum, value) => sum + value, 0);
  const text: TextBlocks = {
    count: N,
    async eachBlock(_, visit) {
      const half = N >> 1;
      await visit(hidden.subarray(0, half * d), 0, half);
      await visit(hidden.subarray(half * d), half, N);
    },
  };
  const contextWeights = weights.map((value) => value / total);
  return { text, products: plainProducts, transform: {}, rest, contextWeights, rows, biases, z };
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

const entropyOf = (a: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value) => (value > 0 ? sum - value * Math.log(value) : sum), 0);

function objective({ rest, contextWeights, z, text }: ReturnType<typeof randomProblem>, a: ArrayLike<number>): number {
  return Math.log(
    Array.from({ length: text.count }, (_, t) => contextWeights[t]! * Math.exp(inner(z(t), a) - rest[t]!)).reduce(
      (sum, value) => sum + value,
      0,
    ),
  );
}

test("is a convex combination with the entropy asked for, and its row and mean odds are that combination's", async () => {
  const problem = randomProblem(1, 60, 5, 40);
  const found = await bestCombination(problem, Math.log(30));
  const d = 5;
  expect(Math.min(...found.weights)).toBeGreaterThanOrEqual(0);
  expect(found.weights.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
  expect(found.entropy).toBeCloseTo(entropyOf(found.weights), 10);
  expect(found.entropy).toBeGreaterThanOrEqual(Math.log(30));
  expect(found.entropy).toBeLessThan(Math.log(30) + 0.01);
  for (let i = 0; i < d; i++) {
    const column = Array.from(found.weights, (_, u) => problem.rows[u * d + i]!);
    expect(found.row[i]).toBeCloseTo(inner(column, found.weights), 10);
  }
  expect(found.bias).toBeCloseTo(inner(problem.biases, found.weights), 10);
  expect(Math.log(found.meanOdds)).toBeCloseTo(objective(problem, found.weights), 6);
});

test("no combination of as much entropy has a smaller mean: none near it, and none of many others", async () => {
  const problem = randomProblem(2, 40, 4, 30);
  const found = await bestCombination(problem, Math.log(15));
  const best = objective(problem, found.weights);
  const random = seededRandom(3);
  let compared = 0;
  for (let trial = 0; trial < 3000; trial++) {
    const near = trial % 2 === 0;
    const size = near ? 0.05 * random() : 4;
    const start = near ? found.weights : new Float64Array(40).fill(1 / 40);
    const other = start.map((value) => value * Math.exp(size * (random() - 0.5)));
    const sum = other.reduce((total, value) => total + value, 0);
    for (let u = 0; u < other.length; u++) other[u]! /= sum;
    if (entropyOf(other) < found.entropy) continue;
    compared++;
    expect(objective(problem, other)).toBeGreaterThan(best - 1e-6);
  }
  expect(compared).toBeGreaterThan(500);
});

test("its odds stay below exp(-H) in every context, whatever it is", async () => {
  const problem = randomProblem(4, 50, 6, 40);
  const { row, bias, entropy } = await bestCombination(problem, Math.log(25));
  fc.assert(
    fc.property(fc.array(fc.double({ min: -300, max: 300, noNaN: true }), { minLength: 6, maxLength: 6 }), (hidden) => {
      const logits = Array.from(problem.biases, (b, u) => inner(problem.rows.subarray(6 * u, 6 * u + 6), hidden) + b);
      expect(inner(row, hidden) + bias - logSumExp(logits)).toBeLessThanOrEqual(-entropy + 1e-9);
    }),
  );
});

test("more entropy than so many rows can have is refused", async () => {
  await expect(bestCombination(randomProblem(5, 10, 2, 8), Math.log(10))).rejects.toThrow("more than 10 rows");
});

test("rows of any length are combined: also of heads that are much too sure, and of ones that hardly differ", async () => {
  for (const spread of [0.01, 10]) {
    const problem = randomProblem(6, 64, 4, 32, spread);
    const found = await bestCombination(problem, Math.log(20));
    expect(found.entropy).toBeGreaterThanOrEqual(Math.log(20));
    const uniform = new Float64Array(64).fill(1 / 64);
    expect(objective(problem, found.weights)).toBeLessThan(objective(problem, uniform));
  }
});
