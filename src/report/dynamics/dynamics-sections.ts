import type { Convergence, Dynamics, LearntToken, OnsetAtShare } from "../../dynamics/dynamics.js";
import { type Html, html } from "../page/html.js";
import { lineKey } from "../page/line-key.js";
import { bytes, count, decimal, duration, percent, probability, significant, times } from "../page/numbers.js";
import { facts, madeBy, type Provenance } from "../page/provenance-section.js";
import { tokenLabel } from "../page/token-label.js";
import { visibleText } from "../page/visible-text.js";
import { stepText } from "./dynamics-headline.js";

const PATH_CHARACTERS = 200;

/** The places that the page's script draws its figures into, with the words around them. */

export function trajectorySection(run: Dynamics): Html {
  const { onset, log, convergence, probes } = run;
  return html`<div class="controls" id="scale-controls"></div>
<figure id="trajectory-figure">
<div class="legend">${lineKey("var(--accent)", "readout: cross-validated R²")}${lineKey("var(--green)", "rank correlation")}${
    convergence && lineKey("var(--warm)", "layers: share of the path walked")
  }${lineKey("var(--neutral)", "shuffled frequencies: R²", true)}</div>
<div class="chart" data-label="Cross-validated R squared of the readout, its rank correlation and the layers' share of their paths against the training step"></div>
<figcaption><b>The readout against the training step.</b> ${
    convergence ? "Each thin line is one layer: how much of its whole path through parameter space it has walked. " : ""
  }Dots mark where half and 90% of the final value are passed. The dashed line is the null: the same frequencies dealt to the tokens at random, on the same embeddings.
Negative values mean that the fit does worse than a constant on tokens left out.</figcaption>
</figure>
${
  log &&
  html`<figure id="loss-figure"><div class="chart" data-label="Training loss against the training step"></div><figcaption><b>Training loss</b>, nats a token, on the same scale of steps.</figcaption></figure>`
}
<h3>The claim as numbers</h3>
<div class="wide"><table><thead><tr><th scope="col">share of the final value</th><th scope="col" class="number">readout passes it</th><th scope="col" class="number">95% interval</th>${
    convergence &&
    html`<th scope="col" class="number">median layer</th><th scope="col" class="number">times earlier</th><th scope="col" class="number">95% interval</th>`
  }</tr></thead><tbody>${(["50", "90"] as const).map((share) => onsetRow(share, onset.shares[share], convergence !== undefined))}</tbody></table></div>
<p class="note">Steps are interpolated between checkpoints on log(1 + step). The readout’s interval comes from 1,000 bootstrap draws of groups of tokens (errors of each token under the fit that leaves its fold out), the ratio’s from draws of tokens and of layers.
It covers the choice of tokens and layers, not of the training run. By chance, with shuffled frequencies, the last checkpoint gives R² ${decimal(probes.at(-1)!.shuffled.r2, 3)} in the sample and ${decimal(probes.at(-1)!.shuffled.crossValidatedR2, 3)} out of it.</p>`;
}

function onsetRow(share: string, { encoding, medianLayerStep, timesEarlier }: OnsetAtShare, layers: boolean): Html {
  const range = (interval: { low: number; high: number } | null | undefined, show: (value: number) => string) =>
    interval ? `${show(interval.low)} to ${show(interval.high)}` : "–";
  const one = (value: number) => decimal(value, 1);
  return html`<tr><td>${share}%</td><td class="number">step ${stepText(encoding.interpolatedStep)}</td><td class="number">${range(encoding.interval, stepText)}</td>${
    !layers
      ? undefined
      : html`<td class="number">step ${stepText(medianLayerStep)}</td><td class="number">${timesEarlier ? one(timesEarlier.ratio) : "–"}</td><td class="number">${range(timesEarlier?.interval, one)}</td>`
  }</tr>
`;
}

export function fitSection({ frequencies }: Dynamics): Html {
  return html`<div class="slider"><button type="button" id="play" aria-label="Play the training">Play</button>
<input type="range" id="step" min="0" value="0" step="1" aria-label="Checkpoint"><output id="step-name" for="step"></output></div>
<div class="columns wide-left">
<figure id="fit-figure">
<div class="chart cloud" data-label="Scatter plot of fitted against true negative log frequency of ${count(frequencies.tokenIds.length)} tokens at one checkpoint"></div>
<figcaption><b>Fitted against true −log f, one point per token, at the checkpoint chosen above.</b> Frequent tokens are at the lower left. At first all tokens are fitted the mean; as the frequencies enter, the cloud turns onto the diagonal.</figcaption>
</figure>
<div class="side">
<div class="search" role="search"><label for="token-search">Follow a token</label>
<input id="token-search" type="search" placeholder="a word, part of one, or #id" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="60">
<p class="note">Marks it on the left and draws its way below. Click a point to mark it. ␣ stands for a space.</p></div>
<figure id="path-figure">
<div class="chart" data-label="Fitted negative log frequency of single tokens against the training step"></div>
<figcaption><b>The way of single tokens.</b> Fitted −log f at every checkpoint; the ring at the right is the true value.</figcaption>
</figure>
</div>
</div>`;
}

export function movementSection({ layers }: Convergence): Html {
  return html`<div class="controls" id="movement-controls"></div>
<figure id="movement-figure">
<div class="legend" id="movement-legend"></div>
<div class="chart" data-label="Movement of the parameters of each layer, the embeddings and the final norm against the training step"></div>
<figcaption><b>The parameters against the training step</b>: ${count(layers.length)} layers (thin, from the first in pale to the last in dark), the two embeddings and the final norm.
Cosine and distance are measured against the last checkpoint, which is where this run stopped, not where training would end.</figcaption>
</figure>`;
}

export function learntSection({ learnt, tokens }: Dynamics): Html {
  if (tokens === undefined) return html`<p>There was no tokenizer to name the tokens with.</p>`;
  return html`<p>Of the tenth of all tokens whose fitted frequency changed most over the training, those where half of the change was there first, and last.</p>
<div class="columns two">
${learntTable("Learnt early", "Mostly frequent tokens: their rows are moved at every step.", learnt.early)}
${learntTable("Learnt late", "What these rows say of frequency was still changing at the end.", learnt.late)}
</div>`;
}

function learntTable(title: string, note: string, rows: readonly LearntToken[]): Html {
  return html`<div class="wide"><table><caption><b>${title}</b> ${note}</caption>
<thead><tr><th scope="col">token</th><th scope="col" class="number">half at step</th><th scope="col" class="number">true f</th><th scope="col" class="number">fitted at the end</th><th scope="col" class="number">change</th></tr></thead>
<tbody>${rows.map(
    (
      row,
    ) => html`<tr><td>${tokenLabel(row.token, row.id)}</td><td class="number">${stepText(row.halfStep)}</td><td class="number">${probability(row.frequency)}</td>
<td class="number">${probability(row.fittedLast)}</td><td class="number">${times(row.fittedLast / row.fittedFirst, "up", "down")}</td></tr>
`,
  )}</tbody></table></div>`;
}

export function slopeSection({ probes, model }: Dynamics): Html {
  const shown = Math.min(48, model.hiddenSize);
  const last = probes.at(-1)!;
  return html`<p>Each row of the map is a dimension of the embedding, each column a checkpoint; colour is the slope A<sub>i</sub> times the standard deviation of the column, its sign included. Where a row keeps its colour, the readout has found its direction.
At the end ${count(last.dimensionsFor[90])} of ${count(model.hiddenSize)} dimensions hold 90% of the saliency.</p>
<figure id="slope-figure">
<div class="legend" id="slope-legend"></div>
<div class="chart" data-label="Heat map of slope times standard deviation, dimensions against checkpoints"></div>
<figcaption><b>Slopes over the training</b>, the ${count(shown)} dimensions that are most salient at the end, most salient on top.</figcaption>
</figure>`;
}

export function conditionSection(): Html {
  const figure = (id: string, label: string, title: string, text: string) => html`<figure id="${id}">
<div class="chart" data-label="${label}"></div><figcaption><b>${title}</b> ${text}</figcaption></figure>`;
  return html`<div class="columns two">
${figure("cosine-figure", "Cosine of the slopes with the last checkpoint's", "Direction of the readout.", "Cosine of the slopes with those of the last checkpoint.")}
${figure("norm-figure", "Mean norm of the rows", "Size of the rows.", "Mean Euclidean norm of the tokens’ rows.")}
${figure("gini-figure", "Gini coefficient of the saliencies", "Concentration.", "Gini coefficient of the saliencies: 0 if all dimensions carry the same, 1 if one carries all.")}
${figure("variance-figure", "Share of variance of the first principal components", "Shape.", "Share of the variance of E that its first principal component (blue) and its first ten (orange) hold.")}
</div>`;
}

export function checkpointTable({ probes, slopeCosines, log }: Dynamics): Html {
  const losses = new Map(log?.map(({ step, loss }) => [step, loss]));
  const head = [
    "step",
    "R²",
    "adjusted",
    "cross-validated",
    "Spearman",
    "shuffled, cv",
    "cos of A",
    "Gini",
    "dims for 90%",
    "row norm",
    "loss",
  ];
  return html`<details open><summary>Every checkpoint</summary><div class="wide"><table><thead><tr>${head.map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${probes.map(
    (probe, k) => html`<tr>${[
      count(probe.step),
      decimal(probe.r2, 4),
      decimal(probe.adjustedR2, 4),
      decimal(probe.crossValidatedR2, 4),
      decimal(probe.spearman, 4),
      decimal(probe.shuffled.crossValidatedR2, 4),
      decimal(slopeCosines[k]!, 3),
      decimal(probe.gini, 3),
      count(probe.dimensionsFor[90]),
      significant(probe.meanRowNorm),
      losses.has(probe.step) ? decimal(losses.get(probe.step)!, 3) : "",
    ].map((cell) => html`<td class="number">${cell}</td>`)}</tr>
`,
  )}</tbody></table></div></details>`;
}

export function madeSection(run: Dynamics, provenance: Provenance): Html {
  const { version, date } = provenance;
  const { model, frequencies, unusable, convergence, seconds, fetched } = run;
  return html`${madeBy(provenance)}
<div class="columns three facts">
${facts("Checkpoints", [
  ["run", visibleText(model.name, PATH_CHARACTERS)],
  ["output embedding", visibleText(model.tensor)],
  ["V × d", `${count(model.vocabSize)} × ${count(model.hiddenSize)}`],
  ["stored as", visibleText(model.dtype)],
  ["probed", count(run.probes.length)],
  [
    "left out",
    unusable.length === 0
      ? "none"
      : html`<ul>${unusable.map(({ step, problem }) => html`<li>step ${count(step)}: ${visibleText(problem, PATH_CHARACTERS)}</li>`)}</ul>`,
  ],
  [
    "fetched",
    fetched &&
      `${bytes(fetched.bytes)} of checkpoints of ${bytes(fetched.checkpointBytes)} (${percent(fetched.bytes / fetched.checkpointBytes)})`,
  ],
])}
${facts("Frequencies", [
  ["from", visibleText(frequencies.source, PATH_CHARACTERS)],
  [
    "form",
    frequencies.kind === "add-one"
      ? "add-one smoothed"
      : frequencies.kind === "seen-only"
        ? "tokens that occur"
        : "mean output probabilities",
  ],
  ["tokens counted", frequencies.totalCount === undefined ? undefined : count(frequencies.totalCount)],
  ["regressed on", `${count(frequencies.tokenIds.length)} tokens`],
  ["never occur", count(frequencies.unseen)],
  ["padding rows", frequencies.paddingRows === 0 ? "none" : `${count(frequencies.paddingRows)}, left out`],
])}
${facts("Run", [
  ["seed", String(run.seed)],
  ["threads", count(run.threads)],
  ["probes", duration(seconds.probes)],
  ["convergence", convergence === undefined ? "not measured" : duration(seconds.convergence)],
  ["version", version && visibleText(version)],
  ["date", date && visibleText(date)],
])}
</div>
<p class="note">Token w is in fold w mod 10 of the cross-validation. <code>run.json</code> beside this page holds every number, <code>tensors.safetensors</code> the slopes, saliencies and fitted values of every checkpoint.</p>`;
}
