import type { ReducedBytes, ReductionMeasures, ReductionRun } from "./reduction-run.js";

/** What `unembed reduce --json` prints of a reduction: means over the contexts, nats. */
export interface ReductionSummary {
  deleted: number;
  kept: number;
  /** m, with `--rescore`. */
  rescore?: number;
  /** With `--greedy-exact`: share of the unseen contexts that took all of E (`fallback`), and rows of E taken in the mean. */
  greedyExact?: ReductionRun["greedyExact"];
  order: ReductionRun["order"];
  compensate: ReductionRun["compensate"];
  measures: { fit: MeasureSummary; check: MeasureSummary };
  budget?: { maxKl: number; verified: MeasureSummary };
  curve?: ReductionRun["curve"];
  encoding?: ReductionRun["encoding"];
  generated?: ReductionRun["generated"];
  bytes: Pick<ReducedBytes, "head" | "model"> & {
    safetensors: ReducedBytes["safetensors"] | null;
    written: ReducedBytes["written"] | null;
  };
  /** Of the head, for a token. */
  multiplications: ReductionRun["multiplications"];
  milliseconds?: ReductionRun["milliseconds"];
  warnings: readonly string[];
  /** Where it was written; null for a dry run. */
  out: string | null;
}

/** How the output differs over a text, in means over the contexts; divergences in nats. */
export interface MeasureSummary {
  kl: number;
  js: number;
  top1: number;
  /** Of the reduced model. */
  perplexity: number;
}

/**
 * A reduction in numbers that fit on a page: what `--json` prints (docs/run-schema.md).
 * @param out where it was written; undefined where it was not
 */
export function summarizeReduction(run: ReductionRun, out: string | undefined): ReductionSummary {
  const { deleted, kept, rescore, greedyExact, order, compensate, measures, budget, curve, encoding, generated } = run;
  return {
    ...{
      deleted,
      kept,
      ...(rescore === undefined ? {} : { rescore }),
      ...(greedyExact && { greedyExact }),
      order,
      compensate,
    },
    measures: { fit: summarized(measures.fit), check: summarized(measures.check) },
    ...(budget && { budget: { maxKl: budget.maxKl, verified: summarized(budget.verified) } }),
    ...(curve && { curve }),
    ...(encoding && { encoding }),
    ...(generated && { generated }),
    bytes: { ...run.bytes, safetensors: run.bytes.safetensors ?? null, written: run.bytes.written ?? null },
    multiplications: run.multiplications,
    ...(run.milliseconds && { milliseconds: run.milliseconds }),
    warnings: run.warnings,
    out: out ?? null,
  };
}

function summarized({ kl, js, top1, perplexity }: ReductionMeasures): MeasureSummary {
  return { kl: kl.mean, js: js.mean, top1, perplexity: perplexity.after };
}
