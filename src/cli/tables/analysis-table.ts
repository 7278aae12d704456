import type { Analysis, BuiltInPrior } from "../../encoding/analysis.js";
import { worstTokens } from "../../encoding/summary.js";
import { plain } from "../../report/page/numbers.js";
import { duration } from "../progress/progress-text.js";
import { beginNote } from "./begin-note.js";

const worstShown = 5;
const nameWidth = 26;

/** The results as a table that fits 80 columns. */
export function analysisTable(analysis: Analysis, seconds: number, out: string): string {
  const { model, corpus, encoding, sparsity, theory, concentration } = analysis;
  const count = (value: number) => value.toLocaleString("en");
  const percent = (value: number) => `${(100 * value).toFixed(1)}%`;
  const { dimensionsFor } = sparsity;
  const rows: [string, string][] = [
    ["model", `${model.name} (${model.modelType}), V = ${count(model.vocabSize)}, d = ${count(model.hiddenSize)}`],
    [
      "contexts",
      count(corpus.contexts) +
        (corpus.contextLength ? ` in windows of ${count(corpus.contextLength)}${beginNote(corpus)}` : ""),
    ],
    ...warningRows(analysis),
    ["", ""],
    ["-log alpha ~ A . E + B", `R2 ${four(encoding.r2)}, adjusted ${four(encoding.adjustedR2)}`],
    ["  95% interval", intervalText(analysis)],
    ["  10-fold cross-validated", `R2 ${four(encoding.crossValidatedR2)}`],
    ["  Spearman", four(encoding.spearman)],
    [
      "  residual error",
      `${four(encoding.residualStandardError)} nats (a factor of ${Math.exp(encoding.residualStandardError).toFixed(2)})`,
    ],
    ["  intercept B", `${four(encoding.intercept)} +- ${four(encoding.interceptStandardError)}`],
    ...rankWarning(analysis),
    ["theory, nothing fitted", `mean field R2 ${four(theory.meanField.r2)}, cosine ${four(theory.meanField.cosine)}`],
    ["", `second order R2 ${four(theory.secondOrder.r2)}`],
    ...priorRows(theory.prior),
    ["saliency", `Gini ${four(sparsity.gini)}`],
    ["  dimensions for", ([50, 80, 90, 95] as const).map((share) => `${share}%: ${dimensionsFor[share]}`).join("   ")],
    [
      "output",
      `entropy ${concentration.entropy.toFixed(2)} nats, logit deviation ${concentration.logitStandardDeviation.toFixed(2)}`,
    ],
    [
      "  likeliest 1 / 10 / 100",
      (["1", "10", "100"] as const).map((size) => percent(concentration.topMass[size])).join(" / "),
    ],
    ["", ""],
    ["worst tokens", "true and fitted probability"],
    ...worstTokens(analysis, worstShown).map(({ token, probability, fittedProbability }): [string, string] => [
      `  ${printable(token)}`,
      `${plain(probability).padEnd(8)}  ${plain(fittedProbability)}`,
    ]),
    ["", ""],
    ["time", [duration(seconds), ...speedOf(analysis)].join(", ")],
    ["report", `${out}/report.html`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(nameWidth)}${value}`.trimEnd()).join("\n");
}

function intervalText({ uncertainty: { r2Interval: interval } }: Analysis): string {
  return interval === undefined ? "cannot be told" : `R2 ${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}`;
}

/** What keeps the numbers below from saying something about the model, before them. */
function warningRows({ warnings }: Analysis): [string, string][] {
  return warnings.flatMap((warning) =>
    wrapped(warning, 80 - nameWidth).map((line, i): [string, string] => [i === 0 ? "warning" : "", line]),
  );
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Not known of sums that were collected elsewhere. */
function speedOf({ tokensPerSecond }: Analysis): string[] {
  return tokensPerSecond === undefined ? [] : [`${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`];
}

const four = (value: number) => value.toFixed(4);

/** What the biases alone say of the tokens. */
function priorRows(prior: BuiltInPrior | undefined): [string, string][] {
  if (prior === undefined) return [["built-in prior", "none: neither the head nor the last norm has a bias"]];
  const { r2, spearman, cosine, restR2, shareOfMean } = prior;
  return [
    ["built-in prior", `b + E . beta alone: R2 ${four(r2)}, Spearman ${four(spearman)}`],
    ...(cosine === undefined || restR2 === undefined || shareOfMean === undefined
      ? []
      : ([
          ["  A and -beta", `cosine ${four(cosine)}; R2 of the rest ${four(restR2)}`],
          ["  beta in mean(h)", `${(100 * shareOfMean).toFixed(1)}%`],
        ] as [string, string][])),
  ];
}

function rankWarning({ encoding }: Analysis): [string, string][] {
  const d = encoding.slopes.length;
  return encoding.rank === d
    ? []
    : [["  rank", `${encoding.rank} of ${d}: some slopes are not determined by the data`]];
}

/** A token as it can stand in a table: control characters escaped, cut to fit. */
export function printable(token: string): string {
  const quoted = JSON.stringify(token).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\u200b-\u200f\u202a-\u202e]/g,
    (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    },
  );
  return quoted.length <= 22 ? quoted : `${quoted.slice(0, 19)}..."`;
}
