import type { Dynamics, OnsetAtShare } from "../../dynamics/dynamics.js";
import { duration } from "../progress/progress-text.js";
import { printable } from "./analysis-table.js";

const learntShown = 5;
const megabyte = 1e6;

/** The results as a table that fits 80 columns. */
export function dynamicsTable(run: Dynamics, seconds: number, out: string): string {
  const { model, frequencies, probes, randomEmbedding, onset, learnt, fetched } = run;
  const count = (value: number) => value.toLocaleString("en");
  const losses = new Map(run.log?.map(({ step, loss }) => [step, loss]));
  const head = ["step", "R2", "cv R2", "Spearman", "cos A", "Gini", "norm", "loss"];
  const widths = [9, 9, 9, 10, 8, 8, 8, 8];
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padStart(widths[i]!)).join("");
  const rows = probes.map((probe, k) =>
    line([
      count(probe.step),
      probe.r2.toFixed(4),
      probe.crossValidatedR2.toFixed(4),
      probe.spearman.toFixed(4),
      run.slopeCosines[k]!.toFixed(3),
      probe.gini.toFixed(3),
      probe.meanRowNorm.toPrecision(3),
      losses.get(probe.step)?.toFixed(3) ?? "",
    ]),
  );
  const shuffled = probes.at(-1)!.shuffled;
  const facts: [string, string][] = [
    ["random embedding", `R2 ${randomEmbedding.r2.toFixed(4)}, cv R2 ${randomEmbedding.crossValidatedR2.toFixed(4)}`],
    ["shuffled frequencies", `R2 ${shuffled.r2.toFixed(4)}, cv R2 ${shuffled.crossValidatedR2.toFixed(4)}`],
    ["", ""],
    ...onsetRows(onset.shares["50"], "50%"),
    ...onsetRows(onset.shares["90"], "90%"),
    ["", ""],
    ...(run.tokens === undefined
      ? []
      : ([
          [
            "learnt early",
            learnt.early
              .slice(0, learntShown)
              .map(({ token }) => printable(token))
              .join(" "),
          ],
          [
            "learnt late",
            learnt.late
              .slice(0, learntShown)
              .map(({ token }) => printable(token))
              .join(" "),
          ],
        ] satisfies [string, string][])),
    ...run.unusable.map(({ step, problem }): [string, string] => [`left out: step ${step}`, problem]),
    ...(fetched === undefined
      ? []
      : ([
          [
            "fetched",
            `${(fetched.bytes / megabyte).toFixed(1)} MB of checkpoints of ${(fetched.checkpointBytes / megabyte).toFixed(0)} MB`,
          ],
        ] satisfies [string, string][])),
    ["time", duration(seconds)],
    ["report", `${out}/report.html`],
  ];
  return [
    `${model.name}, ${model.tensor}: V = ${count(model.vocabSize)}, d = ${count(model.hiddenSize)}; ${count(frequencies.tokenIds.length)} tokens, ${frequencies.kind}`,
    "",
    line(head),
    ...rows,
    "",
    ...facts.map(([name, value]) => `${name.padEnd(26)}${value}`.trimEnd()),
  ].join("\n");
}

function onsetRows({ encoding, medianLayerStep, timesEarlier }: OnsetAtShare, share: string): [string, string][] {
  const step = (value: number | null) => (value === null ? "never" : `step ${Math.round(value).toLocaleString("en")}`);
  const between = encoding.interval
    ? ` (${encoding.interval.low.toFixed(0)} to ${encoding.interval.high.toFixed(0)})`
    : "";
  const rows: [string, string][] = [[`${share} of final cv R2`, `${step(encoding.interpolatedStep)}${between}`]];
  if (medianLayerStep !== null) rows.push([`${share} of the layers' path`, `${step(medianLayerStep)}, median layer`]);
  if (timesEarlier !== null) {
    const { ratio, interval } = timesEarlier;
    rows.push([
      "  encoding is earlier by",
      `${ratio.toFixed(1)} times (95%: ${interval.low.toFixed(1)} to ${interval.high.toFixed(1)})`,
    ]);
  }
  return rows;
}
