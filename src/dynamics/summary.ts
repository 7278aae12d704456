import type { Dynamics } from "./dynamics.js";

/** A training run's dynamics in numbers that fit on a page: `results` of run.json (docs/run-schema.md). */
export type DynamicsSummary = ReturnType<typeof summarizeDynamics>;

/** The numbers that fit on a page: what run.json and `--json` hold. */
export function summarizeDynamics(run: Dynamics) {
  const { frequencies, probes, onset, unusable, randomEmbedding, slopeCosines, learnt } = run;
  const losses = new Map(run.log?.map(({ step, loss }) => [step, loss]));
  return {
    checkpoints: probes.map((probe, k) => ({
      step: probe.step,
      name: probe.name,
      r2: probe.r2,
      adjustedR2: probe.adjustedR2,
      crossValidatedR2: probe.crossValidatedR2,
      spearman: probe.spearman,
      intercept: probe.intercept,
      slopeNorm: Math.sqrt(probe.slopes.reduce((sum, slope) => sum + slope * slope, 0)),
      slopeCosine: slopeCosines[k]!,
      gini: probe.gini,
      dimensionsFor: probe.dimensionsFor,
      meanRowNorm: probe.meanRowNorm,
      varianceShare: Array.from(probe.varianceShare),
      rank: probe.rank,
      conditionNumber: probe.conditionNumber,
      shuffled: probe.shuffled,
      loss: losses.get(probe.step) ?? null,
    })),
    unusable,
    randomEmbedding,
    onset,
    learnt,
    frequencies: {
      kind: frequencies.kind,
      source: frequencies.source,
      totalCount: frequencies.totalCount ?? null,
      tokens: frequencies.tokenIds.length,
      paddingRows: frequencies.paddingRows,
      unseen: frequencies.unseen,
    },
  };
}
