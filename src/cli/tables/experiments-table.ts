import { plain } from "../../report/page/numbers.js";
import type { ExperimentsSummary, MethodSummary, TrialSummary } from "../../steering/trials/experiment-summary.js";
import { duration } from "../progress/progress-text.js";

const bandNames = ["commonest tokens", "common tokens", "rare tokens"];
const head = `${"".padEnd(46)}edits  on fit   unseen, same  unseen, other  |x|/|ln r|`;

/** What experiments came to, in tables that fit 110 columns. */
export function experimentLines({ scales, methods, sizes, tokenCounts }: ExperimentsSummary): string[] {
  const table = (title: string, rows: readonly (readonly [name: string, summary: TrialSummary])[] | undefined) =>
    rows === undefined ? [] : ["", title, head, ...rows.map(([name, row]) => line(name, row))];
  return [
    "|ln(actual / wanted)|, median; in brackets that of the true logit bias",
    ...table(
      "random tokens to all scales",
      scales?.map((row) => [`${bandNames[row.band]}, ${methodName(row)}`, row]),
    ),
    ...table(
      "methods",
      methods?.map((row) => [methodName(row), row]),
    ),
    ...table(
      "lambda of nearest",
      sizes?.map((row) => [`${row.size}${row.chosen ? " (the one in use)" : ""}`, row]),
    ),
    ...table(
      "tokens fitted on",
      tokenCounts?.map((row) => [row.contexts.toLocaleString("en"), row]),
    ),
  ];
}

/** Where the results are and how long they took. */
export function closingLines(seconds: number, out: string): string[] {
  return [`time                  ${duration(seconds)}`, `report                ${out}/report.html`];
}

function methodName({ method, calibrated, exact }: MethodSummary): string {
  return `${method}${exact ? " (exact)" : ""}${calibrated ? "" : ", not calibrated"}`;
}

function line(name: string, { trials, texts, medianNormPerLogarithm }: TrialSummary): string {
  // Three digits after the point, so that columns stand below one another; what that would round to nothing as a power of ten.
  const three = (value: number) => (value < 1e-3 ? plain(value, 1) : value.toFixed(3));
  const { fit, inDomain, outOfDomain } = texts;
  const unseen = [inDomain, outOfDomain].map((text) =>
    (text ? `${three(text.medianMiss)} (${three(text.idealMedianMiss)})` : "").padEnd(15),
  );
  return `  ${name.padEnd(44)}${`${trials}`.padEnd(7)}${(fit ? three(fit.medianMiss) : "").padEnd(9)}${unseen.join("")}${medianNormPerLogarithm.toFixed(2)}`;
}
