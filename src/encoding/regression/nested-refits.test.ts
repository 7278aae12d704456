import { expect, it } from "vitest";
import { gram } from "../../linalg/gram.js";
import { permutation, seededRandom } from "../../linalg/random.js";
import { matrix } from "../../tensor/matrix.js";
import { componentScores, principalComponents } from "../sparsity/principal-components.js";
import { foldMoments } from "./fold-moments.js";
import { centredProducts, nestedR2 } from "./nested-refits.js";
import { regress } from "./regression.js";

const [rows, d] = [120, 7];
const random = seededRandom(21);
const data = Float32Array.from({ length: rows * d }, (_, p) => (random() - 0.3) * (1 + (p % d)));
// The last column is a multiple of the first, and column 3 is constant.
for (let w = 0; w < rows; w++) {
  data[w * d + 6] = 2 * data[w * d]!;
  data[w * d + 3] = 5;
}
const embedding = matrix(rows, d, data);
const tokenIds = Int32Array.from({ length: rows }, (_, id) => id);
const response = Float64Array.from({ length: rows }, (_, w) => data[w * d]! - data[w * d + 4]! + random());
const moments = await foldMoments({ embedding, tokenIds, responses: [response] }, gram);
const products = centredProducts(moments, 0);

async function r2Of(columns: Float32Array, count: number): Promise<number> {
  const fit = await regress({ embedding: matrix(rows, count, columns), tokenIds, responses: [response] });
  return fit.fits[0]!.r2;
}

it.each([1, 2, 3])("each of the nested R2 is that of its own regression, order %i", async (seed) => {
  const order = permutation(d, seededRandom(seed)).filter((column) => column !== 3);
  const nested = nestedR2(products, order);
  for (let k = 1; k <= order.length; k++) {
    const chosen = Float32Array.from({ length: rows * k }, (_, p) => data[Math.floor(p / k) * d + order[p % k]!]!);
    expect(nested[k - 1]).toBeCloseTo(await r2Of(chosen, k), 11);
  }
});

it("a constant or dependent column adds nothing", () => {
  const nested = nestedR2(products, Int32Array.of(3, 0, 6, 1));
  expect(nested[0]).toBe(0);
  expect(nested[2]).toBe(nested[1]);
  expect(nested[3]).toBeGreaterThan(nested[2]!);
});

it("principal components: shares add up, and R2 is that of a regression on the scores", async () => {
  const components = principalComponents(products, 4);
  expect(components.varianceShare.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 13);
  expect(components.varianceShare[5]).toBeLessThan(1e-15);
  const means = moments.shift.slice(0, d);
  for (let k = 1; k <= 4; k++) {
    const scores = componentScores(embedding, tokenIds, means, components.directions, k);
    expect(components.nestedR2[k - 1]).toBeCloseTo(await r2Of(Float32Array.from(scores), k), 6);
  }
  // All there is to explain is explained by the components that have variance.
  expect(components.nestedR2[d - 1]).toBeCloseTo(await r2Of(data, d), 11);
  for (let i = 0; i < 4; i++) {
    const direction = components.directions.subarray(i * d, (i + 1) * d);
    expect(Math.max(...direction)).toBe(Math.max(...direction.map(Math.abs)));
  }
});
