import type { ReductionRun } from "../../reduction/reduction-run.js";
import { count, decimal, percent, plain } from "../page/numbers.js";
import { methodName } from "../reduction/reduction-page-data.js";
import { markdownTable, modelCard, type OriginalModel } from "./model-card.js";

function exact({ rescore, greedyExact }: ReductionRun): string {
  if (rescore === undefined) return "";
  if (greedyExact) return " The likeliest token of each context is the original's, by a bound.";
  return ` In each context the ${count(rescore)} likeliest tokens have exact logits.`;
}

/** README.md of a model with a reduced head. */
export function reductionCard(run: ReductionRun, original: OriginalModel, version: string): string {
  const { model, deleted, kept, order, compensate, measures, warnings } = run;
  const texts = [
    ["fitting text", measures.fit],
    ["unseen text", measures.check],
  ] as const;
  const rows = texts.map(([name, { contexts, kl, top1, perplexity }]) => [
    `${name}, ${count(contexts)} contexts`,
    plain(kl.mean),
    percent(top1, 2),
    `${decimal(perplexity.before, 2)} → ${decimal(perplexity.after, 2)}`,
  ]);
  const done = [
    `${count(deleted)} of the ${count(model.hiddenSize)} dimensions of the output embedding were deleted (${methodName(order, compensate)}), ${count(kept)} kept; every other weight is what it was.${exact(run)} How the output distribution moved:`,
    "",
    markdownTable(["text", "KL(original ‖ reduced), nats", "same likeliest token", "perplexity"], rows),
    ...warnings.flatMap((warning) => ["", `**Note:** ${warning}`]),
  ];
  return modelCard(original, { done: done.join("\n"), version });
}
