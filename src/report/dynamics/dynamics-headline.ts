import type { Dynamics, OnsetAtShare } from "../../dynamics/dynamics.js";
import { type Html, html } from "../page/html.js";
import { count, counted, decimal, percent } from "../page/numbers.js";
import { tile } from "../page/tile.js";
import { shortName } from "../page/visible-text.js";

/** The result in plain words, with the numbers behind it. */
export function dynamicsHeadline(run: Dynamics): Html {
  const { model, probes, frequencies, onset } = run;
  const last = probes.at(-1)!;
  return html`<header class="headline">
<p class="eyebrow">Training dynamics · ${shortName(model.name)}</p>
<h1>${verdict(run)}</h1>
<p class="lead">At each of ${counted(probes.length, "checkpoint")} from step ${count(probes[0]!.step)} to step ${count(last.step)}, the ${frequencyWords(frequencies.kind)} of
${count(frequencies.tokenIds.length)} tokens were regressed on the output embedding (${count(model.vocabSize)} × ${count(model.hiddenSize)}).
At the end the readout explains ${percent(Math.max(0, onset.finalR2))} of the variance of −log f on tokens that it was not fitted to;
half of that is there at step ${stepText(onset.shares[50].encoding.interpolatedStep)}. ${comparison(onset.shares[50])}</p>
${tiles(run)}
</header>`;
}

export function stepText(step: number | null): string {
  return step === null ? "–" : step < 9.95 ? decimal(step, 1) : count(step);
}

function verdict({ onset, convergence }: Dynamics): string {
  const { encoding, timesEarlier } = onset.shares[50];
  if (!(onset.finalR2 > 0.1) || encoding.interpolatedStep === null) {
    return "Token frequency can hardly be read linearly from this output embedding, at any step";
  }
  const at = stepText(encoding.interpolatedStep);
  if (convergence === undefined || timesEarlier === null)
    return `Half of the readout of token frequency is there at step ${at}`;
  const { ratio, interval } = timesEarlier;
  if (interval.low > 1) {
    return `Token frequency enters the output embedding ${decimal(ratio, ratio < 9.95 ? 1 : 0)} times earlier than the layers get half-way`;
  }
  return interval.high < 1
    ? "Token frequency enters the output embedding later than the layers get half-way"
    : "Token frequency enters the output embedding about when the layers get half-way";
}

function comparison({ timesEarlier, medianLayerStep }: OnsetAtShare): string {
  if (timesEarlier === null || medianLayerStep === null) {
    return "The other parameters were not measured in this run (--convergence does).";
  }
  const { ratio, interval } = timesEarlier;
  return `The median layer has walked half of its path at step ${stepText(medianLayerStep)}: ${decimal(ratio, 1)} times later (95% interval ${decimal(interval.low, 1)} to ${decimal(interval.high, 1)}).`;
}

function frequencyWords(kind: Dynamics["frequencies"]["kind"]): string {
  if (kind === "probabilities") return "mean output probabilities";
  return kind === "add-one" ? "corpus frequencies (add-one smoothed)" : "corpus frequencies (of tokens that occur)";
}

function tiles({ probes, onset, randomEmbedding }: Dynamics): Html {
  const last = probes.at(-1)!;
  const { "50": half, "90": most } = onset.shares;
  const range = half.encoding.interval;
  return html`<dl class="tiles">
${tile("final R², cross-validated", decimal(last.crossValidatedR2, 3), "on tokens left out of the fit, ten folds")}
${tile("half of it at step", stepText(half.encoding.interpolatedStep), range === null ? "never passed" : `95% interval ${stepText(range.low)} to ${stepText(range.high)}`)}
${tile("90% of it at step", stepText(most.encoding.interpolatedStep), "interpolated between checkpoints")}
${tile("layers: half at step", stepText(half.medianLayerStep), "median layer, share of its path through parameter space")}
${tile("times earlier", half.timesEarlier === null ? "–" : decimal(half.timesEarlier.ratio, 1), "layers’ half-way step over the readout’s")}
${tile("by chance", decimal(randomEmbedding.crossValidatedR2, 3), `the same R² on ${randomEmbedding.source === "initial checkpoint" ? "the initial embedding" : "a random embedding"}`)}
</dl>`;
}
