import { expect, test } from "vitest";
import { seededRandom } from "../../linalg/random.js";
import { predictCoordinates } from "./expansion.js";
import { gatedPrediction } from "./gated-prediction.js";

const d = 6;
const product = async (a: Float64Array, b: Float64Array, rows: number, inner: number, columns: number) => {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let l = 0; l < inner; l++) {
      for (let j = 0; j < columns; j++) out[i * columns + j]! += a[i * inner + l]! * b[l * columns + j]!;
    }
  }
  return out;
};

/** Of a few random mixtures. */
function someCorrelation(): Float64Array {
  const random = seededRandom(5);
  const mix = Float64Array.from({ length: d * d }, () => random() - 0.3);
  const covariance = Float64Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    let sum = i === j ? 0.2 : 0;
    for (let l = 0; l < d; l++) sum += mix[i * d + l]! * mix[j * d + l]!;
    return sum;
  });
  return covariance.map((value, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return value / Math.sqrt(covariance[i * d + i]! * covariance[j * d + j]!);
  });
}
const correlation = someCorrelation();

test("gates that are open or shut predict as least squares does", async () => {
  const { map } = await gatedPrediction(correlation, Float64Array.of(1, 0, 1, 1, 0, 0), product);
  const moments = { contexts: 99, mean: new Float64Array(d), covariance: correlation, shrinkage: 0 };
  const { basis } = predictCoordinates(d, Int32Array.of(0, 2, 3), moments);
  for (let i = 0; i < d; i++) {
    for (const [j, column] of [0, 2, 3].entries()) expect(map[i * d + column]).toBeCloseTo(basis[i * 3 + j]!, 4);
    for (const column of [1, 4, 5]) expect(map[i * d + column]).toBe(0);
  }
});

test("its gradient by the gates is that of finite differences, 0 for shut ones", async () => {
  const random = seededRandom(6);
  const weights = Float64Array.from({ length: d * d }, () => random() - 0.5);
  const gates = Float64Array.of(0.9, 0.3, 1, 0, 0.5, 0.7);
  const loss = async (at: Float64Array) => {
    const { map } = await gatedPrediction(correlation, at, product);
    return map.reduce((sum, value, i) => sum + weights[i]! * value, 0);
  };
  const gradient = await (await gatedPrediction(correlation, gates, product)).gradient(weights);
  expect(gradient[3]).toBe(0);
  for (const i of [0, 1, 2, 4, 5]) {
    const [less, more] = [-1e-5, 1e-5].map((step) => gates.map((gate, j) => (i === j ? gate + step : gate)));
    const slope = ((await loss(more!)) - (await loss(less!))) / 2e-5;
    expect(gradient[i]).toBeCloseTo(slope, 6);
  }
});

test("with every gate shut nothing is predicted", async () => {
  const { map, gradient } = await gatedPrediction(correlation, new Float64Array(d), product);
  expect([...map, ...(await gradient(new Float64Array(d * d).fill(1)))].every((value) => value === 0)).toBe(true);
});
