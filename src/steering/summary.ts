import type { Collateral, EditCheck } from "./check/check.js";
import { type CheckText, checkTexts } from "./check/check-texts.js";
import { howItHolds } from "./how-it-holds.js";
import type { WrittenEdit } from "./steering-run.js";

function spreads({ kl, js, klOthers, jsOthers }: Collateral, of: "percentile95" | "max") {
  return { kl: kl[of], js: js[of], klOthers: klOthers[of], jsOthers: jsOthers[of] };
}

const euclidean = (lengths: readonly number[]) => Math.sqrt(lengths.reduce((sum, length) => sum + length * length, 0));

/** The numbers of an edit that fit on a page: what `--json` prints. */
export function summarizeSteering({ plan, solution, spread, check, probed, words, out }: WrittenEdit) {
  const perText = <Value>(value: (text: NonNullable<EditCheck[CheckText]>) => Value) =>
    Object.fromEntries(checkTexts.flatMap((text) => (check[text] ? [[text, value(check[text])]] : [])));
  return {
    edits: solution.groups.map((group, g) => {
      const { tokens, label } = plan.edits[g]!;
      return {
        label,
        id: tokens[0]!.id,
        token: tokens[0]!.text,
        ids: tokens.map(({ id }) => id),
        probability: group.probability.before,
        wanted: group.probability.wanted / group.probability.before,
        reached: group.probability.after / group.probability.before,
        actual: perText((text) => text.groups[g]!.scale),
        interval: perText((text) => text.groups[g]!.interval),
        ideal: perText((text) => text.groups[g]!.idealScale),
        norm: euclidean(group.norms),
        klToIdeal: group.klToIdeal,
        klOfIdeal: group.klOfIdeal,
        shortfall: group.shortfall ?? null,
        ...howItHolds(group, probed[g]!, words?.[g]),
      };
    }),
    collateral: perText(({ collateral }) => ({
      kl: collateral.kl.mean,
      js: collateral.js.mean,
      klOthers: collateral.klOthers.mean,
      jsOthers: collateral.jsOthers.mean,
      top1: collateral.top1,
      perplexity: collateral.perplexity,
      percentile95: spreads(collateral, "percentile95"),
      max: spreads(collateral, "max"),
      movers: collateral.movers,
    })),
    method: plan.method,
    size: plan.lambda,
    spread: spread ?? null,
    editNorm: euclidean(solution.groups.flatMap(({ norms }) => norms)),
    warnings: solution.warnings,
    out,
  };
}
