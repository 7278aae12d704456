import type { TrimRun } from "../../trimming/trim-run.js";
import { type Html, html } from "../page/html.js";
import { bytes, count, decimal, percent, probability, significant } from "../page/numbers.js";
import { tile } from "../page/tile.js";
import { shortName } from "../page/visible-text.js";

/** The result in plain words, with the numbers behind it. */
export function trimHeadline(run: TrimRun): Html {
  const { model, vocabSize, kept, check, bytes: sizes } = run;
  const gone = vocabSize.before - kept.tokens;
  const size = sizes.model.after / sizes.model.before;
  return html`<header class="headline">
<p class="eyebrow">Trimming of the vocabulary · ${shortName(model.name)}</p>
<h1>${percent(gone / vocabSize.before, 0)} of the tokens went, with ${probability(check.removedMass.mean)} of the probability</h1>
<p class="lead">${count(gone)} of ${count(vocabSize.before)} rows were deleted. <b>Lost:</b> on unseen text the tokens that went had ${probability(check.removedMass.mean)} of the probability on average, in 95% of the contexts at most ${probability(check.removedMass.percentile95)}, in the worst
${probability(check.removedMass.max)}; a text takes ${percent(check.tokensPerByte.after / check.tokensPerByte.before - 1)} more tokens. <b>Gained:</b> the weights take ${bytes(sizes.model.after)} instead of ${bytes(sizes.model.before)}. ${proven(run)}</p>
<dl class="tiles">
${tile("mass removed", probability(check.removedMass.mean), "of the probability, mean over contexts of unseen text")}
${tile("KL", significant(check.kl), "nats, trimmed to original: −ln of what stays")}
${tile("perplexity a byte", `× ${decimal(check.perplexityPerByte.after / check.perplexityPerByte.before, 4)}`, "of unseen text, each with its own tokens")}
${tile("tokens a byte", `× ${decimal(check.tokensPerByte.after / check.tokensPerByte.before, 4)}`, "what longer texts cost")}
${tile("model", `× ${decimal(size, 2)}`, `in bytes: ${bytes(sizes.model.after)}`)}
${tile("time of the head", `× ${decimal(run.milliseconds.head.after / run.milliseconds.head.before, 2)}`, "per token, measured in one run")}
</dl></header>`;
}

function proven({ proof }: TrimRun): string {
  if (proof === undefined) return "Nothing was written.";
  const logits =
    proof.logitDifference === 0
      ? "are the original’s to the last bit"
      : `differ from the original’s by at most ${significant(proof.logitDifference)} of the largest`;
  return `Read back from the disk, ${count(proof.sameTokens)} pieces of text whose tokens all stay are read with the same tokens, and the logits of the tokens that stay ${logits}.`;
}
