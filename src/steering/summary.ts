import { type CheckText, checkTexts, type EditCheck } from "./check.js";
import type { Steered } from "./steer.js";

/** The numbers of an edit that fit on a page: what `--json` prints. */
export function summarizeSteering({ plan, solution }: Steered, check: EditCheck, out: string) {
  const perText = <Value>(value: (text: NonNullable<EditCheck[CheckText]>) => Value) =>
    Object.fromEntries(checkTexts.flatMap((text) => (check[text] ? [[text, value(check[text])]] : [])));
  return {
    edits: solution.groups.map((group, g) => {
      const { tokens, label } = plan.edits[g]!;
      return {
        label,
        id: tokens[0]!.id,
        token: tokens[0]!.text,
        tokens: tokens.length,
        probability: group.probability.before,
        wanted: group.probability.wanted / group.probability.before,
        reached: group.probability.after / group.probability.before,
        actual: perText((text) => text.groups[g]!.scale),
        interval: perText((text) => text.groups[g]!.interval),
        ideal: perText((text) => text.groups[g]!.idealScale),
        klToIdeal: group.klToIdeal,
        klOfIdeal: group.klOfIdeal,
        shortfall: group.shortfall,
      };
    }),
    collateral: perText(({ collateral }) => ({
      kl: collateral.kl.mean,
      js: collateral.js.mean,
      klOthers: collateral.klOthers.mean,
      top1: collateral.top1,
      perplexity: collateral.perplexity,
      movers: collateral.movers,
    })),
    method: plan.method,
    editNorm: solution.groups.map(({ norms }) => Math.hypot(...norms)),
    warnings: solution.warnings,
    out,
  };
}
