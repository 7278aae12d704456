import type { ReductionRun } from "../../reduction/reduction-run.js";
import { type Html, html } from "../page/html.js";
import { bytes, count, decimal, percent, significant } from "../page/numbers.js";
import { tile } from "../page/tile.js";
import { shortName } from "../page/visible-text.js";
import { methodName } from "./reduction-page-data.js";

/** The result in plain words, with the numbers behind it. */
export function reductionHeadline(run: ReductionRun): Html {
  const { model, measures, order, compensate, kept, deleted } = run;
  const { check } = measures;
  const share = deleted / model.hiddenSize;
  return html`<header class="headline">
<p class="eyebrow">Reduction of the output head · ${shortName(model.name)}</p>
<h1>Deleting ${percent(share, 0)} of the head’s dimensions ${verdict(check.top1)}</h1>
<p class="lead">${count(deleted)} of ${count(model.hiddenSize)} dimensions were deleted by <b>${methodName(order, compensate)}</b>${rescored(run)}. <b>Lost:</b> on unseen text the likeliest token is another one in
${percent(1 - check.top1)} of the contexts, the distribution moves by ${significant(check.kl.mean)} nats on average, and perplexity goes from ${decimal(check.perplexity.before, 2)} to ${decimal(check.perplexity.after, 2)}
(${signedPercent(check.perplexity.after / check.perplexity.before - 1)}). <b>Gained:</b> ${gain(run)}</p>
<dl class="tiles">
${tile("KL", significant(check.kl.mean), "nats, original to reduced, mean over contexts of unseen text")}
${tile("same likeliest token", percent(check.top1), "of the contexts of unseen text")}
${tile("perplexity", `× ${decimal(check.perplexity.after / check.perplexity.before, 3)}`, "of the text’s own next tokens")}
${tile("dimensions kept", count(kept), `of ${count(model.hiddenSize)} that the head used`)}
${tile("head", `× ${decimal(run.bytes.head.after / run.bytes.head.before, 2)}`, `in bytes, factored: ${bytes(run.bytes.head.after)}`)}
${
  run.milliseconds
    ? tile(
        "time of the head",
        `× ${decimal(run.milliseconds.head.after / run.milliseconds.head.before, 2)}`,
        "per token, measured in one run",
      )
    : tile(
        "model",
        `× ${decimal(run.bytes.model.after / run.bytes.model.before, 2)}`,
        "in bytes, with the factored head",
      )
}
</dl></header>`;
}

function rescored({ rescore, greedyExact }: ReductionRun): string {
  if (rescore === undefined) return "";
  if (greedyExact) {
    return `, and every token that could still be the likeliest gets its exact logit, by a bound: the likeliest token is the original’s in every context`;
  }
  return `, and the ${count(rescore)} tokens that are likeliest by what is kept get their exact logits`;
}

/**
 * Words for the share of contexts whose likeliest token stays, from what goes with it on the embedded model: perplexity up by
 * under 1%, by 2 or 3%, by about 10%, by up to a half, and more.
 */
const VERDICTS = [
  [0.97, "hardly changes the output"],
  [0.92, "changes the output a little"],
  [0.8, "changes the output noticeably"],
  [0.6, "changes the output a lot"],
  [0, "changes the output beyond recognition"],
] as const;

function verdict(top1: number): string {
  return VERDICTS.find(([least]) => top1 >= least)![1];
}

function signedPercent(share: number): string {
  return `${share > 0 ? "+" : ""}${percent(share).replace("-", "−")}`;
}

/** What was gained in a sentence; of a folder that keeps the head's shape, what its weights take and what ONNX would give. */
function gain({ format, bytes: size, milliseconds, multiplications: { before, after } }: ReductionRun): string {
  const work = `a head that multiplies by ${count(after)} numbers instead of ${count(before)}`;
  const time = milliseconds && milliseconds.head.after / milliseconds.head.before;
  const slower = time !== undefined && time >= 1;
  const faster = time === undefined || slower ? "" : ` and takes ${decimal(time, 2)} of the time`;
  const long = slower ? `, but took ${decimal(time, 2)} times as long when this was measured` : "";
  const grown = size.model.after > size.model.before;
  const whole = `the model is ${bytes(Math.abs(size.model.before - size.model.after))} ${grown ? "larger, since its input embedding, the same matrix, stays whole" : "smaller"}`;
  const sentence = `${work}${faster}${long}; ${whole}.`;
  if (format !== "safetensors") return sentence;
  const written =
    size.written && `; its weights take ${bytes(size.written.after)}, the original’s ${bytes(size.written.before)}`;
  return `nothing in this folder, whose head keeps its shape so that any runtime loads it${written ?? ""}. Written with --format onnx it is ${sentence}`;
}
