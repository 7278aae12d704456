import { permutation, seededRandom } from "../../linalg/random.js";
import type { Matrix } from "../../tensor/matrix.js";
import type { Encoding, Sparsity } from "../analysis.js";
import { centredProducts, nestedR2 } from "../regression/nested-refits.js";
import type { Regression } from "../regression/regression.js";
import { componentScores, principalComponents } from "./principal-components.js";
import { dimensionsFor, fallingOrder, giniCoefficient, lorenzCurve, saliency } from "./saliency.js";

export interface SparsityInput {
  /** E, [V, d]. */
  embedding: Matrix<Float32Array>;
  encoding: Encoding;
  /** What the encoding comes from. */
  regression: Regression;
  seed: number;
  /** Random orders of the dimensions to compare with. Default 10. */
  randomOrders?: number | undefined;
  /** Components to give the tokens' scores on. Default 4. */
  componentCount?: number | undefined;
}

/** How few dimensions carry the encoding (METHOD.md section 2), from the cross products of the regression. */
export function sparsity(input: SparsityInput): Sparsity {
  const { embedding, encoding, regression, seed, randomOrders = 10 } = input;
  const d = embedding.columns;
  const salience = saliency(encoding.slopes, regression.moments);
  const order = fallingOrder(salience);
  const products = centredProducts(regression.moments, 0);
  const componentCount = Math.min(input.componentCount ?? 4, d);
  const components = principalComponents(products, componentCount);
  const sizes = refitSizes(d);
  // The refit on all d dimensions is the encoding itself.
  const largest = sizes.at(-2) ?? 0;
  const top = nestedR2(products, order.subarray(0, largest));
  const random = seededRandom(seed);
  const randomR2 = Array.from({ length: randomOrders }, () =>
    nestedR2(products, permutation(d, random).subarray(0, largest)),
  );
  return {
    saliency: salience,
    order,
    lorenz: lorenzCurve(salience),
    gini: giniCoefficient(salience),
    dimensionsFor: dimensionsFor(salience),
    refits: sizes.map((k) => {
      if (k === d) return wholeRefit(d, encoding.r2);
      const values = randomR2.map((curve) => curve[k - 1]!);
      return {
        k,
        topK: top[k - 1]!,
        randomK: {
          mean: values.reduce((sum, value) => sum + value, 0) / values.length,
          low: Math.min(...values),
          high: Math.max(...values),
        },
        principalComponents: components.nestedR2[k - 1]!,
      };
    }),
    varianceShare: components.varianceShare,
    scores: componentScores(
      embedding,
      encoding.tokenIds,
      regression.leastSquares.means,
      components.directions,
      componentCount,
    ),
    componentCount,
  };
}

/** 1, 2, 4, ... below d, and d. */
function refitSizes(d: number): number[] {
  const sizes: number[] = [];
  for (let k = 1; k < d; k *= 2) sizes.push(k);
  return [...sizes, d];
}

function wholeRefit(k: number, r2: number): Sparsity["refits"][number] {
  return { k, topK: r2, randomK: { mean: r2, low: r2, high: r2 }, principalComponents: r2 };
}
