import type { CurvePoint, ReductionMeasures, ReductionRun } from "../../src/reduction/reduction-run.js";

const methods = [
  ["saliency", "none", 1],
  ["saliency", "least-squares", 0.2],
  ["random", "none", 1.6],
  ["rotation", "mean", 0.02],
  ["rotation", "refine", 0.005],
  ["rotation", "least-squares", 0.001, 32],
] as const;

/** A made-up reduction with everything that one can measure. @param name of the model, and every text in it */
export function plausibleReduction(name = "made-up"): ReductionRun {
  const d = 64;
  const measured = (factor: number): ReductionMeasures => ({
    contexts: 10_000,
    kl: { mean: 0.0027 * factor, percentile95: 0.01 * factor, max: 0.4 },
    js: { mean: 0.0006 * factor, percentile95: 0.002 * factor, max: 0.1 },
    top1: 1 - 0.03 * factor,
    perplexity: { before: 76.5, after: 76.5 * Math.exp(0.002 * factor) },
  });
  const curve = methods.flatMap(([order, compensate, factor, rescore]) =>
    Array.from({ length: 20 }, (_, step): CurvePoint => {
      const fraction = step / 20;
      const kl = factor * 5 * fraction ** 3;
      return {
        ...{ order, compensate, fraction, deleted: Math.round(fraction * d) },
        multiplications: 512 * Math.round((1 - fraction) * d) + 64 * (rescore ?? 0),
        ...(rescore === undefined ? {} : { rescore }),
        ...{ kl, js: kl / 5, jsPercentile95: kl / 2, top1: Math.exp(-kl), perplexity: 76.5 * Math.exp(kl) },
      };
    }),
  );
  return {
    model: { name, modelType: "gpt2", vocabSize: 512, hiddenSize: d, dtype: "F16", tied: true },
    corpus: {
      fit: [{ name, bytes: 100_000 }],
      check: Array.from({ length: 20 }, (_, i) => ({ name: `text ${i}`, bytes: 1000 })),
      contextLength: 256,
      beginOfText: false,
      contexts: { fit: 20_000, check: 10_000 },
    },
    ...{ deleted: 19, kept: 45, order: "rotation", compensate: "refine", metric: "fisher", seed: 1, format: "onnx" },
    measures: { fit: measured(0.8), check: measured(1) },
    budget: { maxKl: 0.003, verified: measured(1.05) },
    curve,
    encoding: curve
      .filter(({ compensate }) => compensate === "none")
      .map(({ order, fraction, deleted }) => ({ order, fraction, deleted, r2: 0.9 - fraction ** 2 })),
    generated: [
      {
        ...{ deleted: 19, mauve: 0.93, mauveOfOriginal: 0.95 },
        distinct: [0.2, 0.6, 0.9].map((before) => ({ before, after: before + 0.01 })),
        repetition: { before: 0.02, after: 0.03 },
        samples: [{ prompt: "It was", before: ` a dark night ${name}`, after: " a stormy night" }],
      },
    ],
    multiplications: { before: 512 * d, after: (512 + d) * 45 },
    bytes: {
      ...{ head: { before: 65_536, after: 46_080 }, model: { before: 1_000_000, after: 1_046_080 } },
      safetensors: { head: { before: 65_536, after: 131_072 }, model: { before: 1_000_000, after: 1_131_072 } },
      written: { before: 1_000_000, after: 1_046_080 },
    },
    milliseconds: { head: { before: 0.2, after: 0.15 }, step: { before: 0.5, after: 0.45 } },
    ...{ warnings: [`short text ${name}`], threads: 2, seconds: 12.5 },
  };
}
