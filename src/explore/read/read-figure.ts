import type { Analysis } from "../../encoding/analysis.js";
import { spearman } from "../../encoding/regression/ranks.js";
import { readFinalNorm } from "../../model/layers/constant-direction.js";
import type { Model } from "../../model/model.js";
import { pageData } from "../../report/analysis/page-data.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import type { ReadFigure } from "../figures.js";
import type { ReadNumbers } from "../state.js";

/** Tokens listed as the best and the worst fitted. */
const listed = 20;

/** The figures of Read, and the numbers above them. @param prior the model's built-in prior, where it has one */
export function readFigure(analysis: Analysis, prior: Float64Array | undefined, complete: boolean): ReadFigure {
  const { encoding, theory, statistics } = analysis;
  const misses = encoding.observed.map((value, i) => Math.abs(value - encoding.fitted[i]!));
  const byMiss = Array.from(misses.keys()).sort((a, b) => misses[a]! - misses[b]!);
  const idAt = (place: number) => encoding.tokenIds[place]!;
  const ownPrior = prior && Float64Array.from(encoding.tokenIds, (id) => prior[id]!);
  return {
    name: "read",
    contexts: statistics.contexts,
    complete,
    data: pageData(analysis),
    best: byMiss.slice(0, listed).map(idAt),
    worst: byMiss.slice(-listed).reverse().map(idAt),
    theory: {
      meanFieldR2: theory.meanField.r2,
      meanFieldCosine: theory.meanField.cosine,
      secondOrderR2: theory.secondOrder.r2,
      prior: ownPrior ? priorFit(ownPrior, encoding.observed) : null,
    },
  };
}

export function readNumbers({ encoding, theory, concentration, sparsity, warnings }: Analysis): ReadNumbers {
  const { r2, crossValidatedR2, spearman: rho, residualStandardError, intercept } = encoding;
  return {
    ...{ r2, crossValidatedR2, spearman: rho, residualStandardError, intercept, warnings },
    gini: sparsity.gini,
    entropy: concentration.entropy,
    top1Mass: concentration.topMass["1"],
    meanFieldR2: theory.meanField.r2,
    secondOrderR2: theory.secondOrder.r2,
  };
}

/**
 * ln of the built-in prior up to a constant, b_w + E_w . beta_n with beta_n the final LayerNorm's bias, [V] (METHOD.md section 1);
 * undefined where the model has neither.
 */
export async function builtInPrior({ head, description }: Model): Promise<Float64Array | undefined> {
  const norm = await readFinalNorm(description);
  if (norm === undefined && head.bias === undefined) return undefined;
  const { vocabSize: V, hiddenSize: d } = head;
  const prior = Float64Array.from(head.bias ? await readTensor(head.bias) : new Float64Array(V));
  if (norm === undefined) return prior;
  const rows = await readTensor(head.weight);
  for (let w = 0; w < V; w++) {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += rows[w * d + i]! * norm.bias[i]!;
    prior[w]! += sum;
  }
  return prior;
}

/** How well the prior tells -log alpha by itself, its scale and offset fitted. */
function priorFit(prior: Float64Array, observed: Float64Array): { r2: number; spearman: number } {
  const n = prior.length;
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / n;
  const [x, y] = [mean(prior), mean(observed)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [a, b] = [prior[i]! - x, observed[i]! - y];
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const r2 = xx > 0 && yy > 0 ? (xy * xy) / (xx * yy) : 0;
  return {
    r2,
    spearman: spearman(
      prior.map((value) => -value),
      observed,
    ),
  };
}
