import type { Comparison, Mover } from "../../compare/comparison.js";
import { divergenceText, LEAST_DIVERGENCE } from "../page/divergence-text.js";
import { type Html, html } from "../page/html.js";
import { count, counted, decimal, percent, significant, times } from "../page/numbers.js";
import { tile } from "../page/tile.js";
import { tokenLabel } from "../page/token-label.js";
import { shortName } from "../page/visible-text.js";

/** The result in plain words, with the numbers behind it. @param mover the token that moved most, if any did */
export function comparisonHeadline(comparison: Comparison, mover: Mover | undefined): Html {
  const { models, corpus } = comparison;
  return html`<header class="headline">
<p class="eyebrow">Comparison of two models · A is ${shortName(models.a.name)}, B is ${shortName(models.b.name)}</p>
<h1>${verdict(comparison)}</h1>
<p class="lead">Both models read the same ${counted(corpus.contexts, "context")}; in each, the distribution of the next token under <b>${shortName(models.b.name)}</b> (B) was compared with that under
<b>${shortName(models.a.name)}</b> (A). ${distance(comparison)}
${prediction(comparison)} ${mover && html`The token whose mean probability differs by the largest factor is ${tokenLabel(mover.token, mover.id)}: ${times(mover.scale, "likelier", "rarer")} under B.`}</p>
${tiles(comparison, mover)}
</header>`;
}

/** No context differs by more than what float32 rounds away. */
export function isSame({ kl, js }: Comparison): boolean {
  return kl.max < LEAST_DIVERGENCE && js.max < LEAST_DIVERGENCE;
}

function verdict(comparison: Comparison): string {
  const { top1Agreement, corpus } = comparison;
  if (isSame(comparison)) return "Both models give the same output in every context";
  const others = Math.round((1 - top1Agreement) * corpus.contexts);
  if (others === 0) return "The models agree on the likeliest next token in every context, if not on its probability";
  const share = percent(top1Agreement);
  return share === "100%"
    ? `The models agree on the likeliest next token in all but ${count(others)} of ${counted(corpus.contexts, "context")}`
    : `The models agree on the likeliest next token in ${share} of contexts`;
}

function distance(comparison: Comparison): string {
  if (isSame(comparison)) return "No context differs by more than the rounding of float32 logits.";
  const { mean, percentile95, max } = comparison.kl;
  return `On average they are ${divergenceText(mean)} nats apart (KL(A ‖ B)); in 95% of the contexts at most ${divergenceText(percentile95)}, in the worst ${divergenceText(max)}.`;
}

/** Perplexities that differ by less than this share are called equal. */
const EQUAL_PERPLEXITY = 5e-4;

function prediction({ perplexity }: Comparison): string {
  const change = perplexity.b / perplexity.a - 1;
  if (!Number.isFinite(change)) return "";
  const both = `perplexity ${shownPerplexity(perplexity.a)} under A, ${shownPerplexity(perplexity.b)} under B`;
  if (Math.abs(change) < EQUAL_PERPLEXITY) return `Both predict the text’s own next tokens equally well: ${both}.`;
  return `B predicts the text’s own next tokens ${change > 0 ? "worse" : "better"} than A: ${both}.`;
}

/** Perplexities of broken models are astronomical. */
export function shownPerplexity(perplexity: number): string {
  return perplexity < 1e5 ? decimal(perplexity, 2) : significant(perplexity);
}

function tiles({ kl, reverseKl, js, top1Agreement, perplexity }: Comparison, mover: Mover | undefined): Html {
  return html`<dl class="tiles">
${tile("KL(A ‖ B)", divergenceText(kl.mean), "nats, mean over contexts")}
${tile("KL(B ‖ A)", divergenceText(reverseKl.mean), "nats, the other way round")}
${tile("Jensen–Shannon", divergenceText(js.mean), "nats, mean; ln 2 = 0.693 at most")}
${tile("same likeliest token", percent(top1Agreement), "share of contexts")}
${tile("perplexity, B over A", `× ${decimal(perplexity.b / perplexity.a, 3)}`, `A ${shownPerplexity(perplexity.a)}, B ${shownPerplexity(perplexity.b)}`)}
${tile("largest mover", mover === undefined ? "–" : `× ${significant(mover.scale)}`, "mean probability under B over that under A")}
</dl>`;
}
