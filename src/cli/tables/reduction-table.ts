import type { BeforeAfter } from "../../measures/before-after.js";
import type { CurvePoint, ReductionMeasures, ReductionRun } from "../../reduction/reduction-run.js";
import { plain, plainDecimal } from "../../report/page/numbers.js";
import { curveName } from "../../report/reduction/reduction-page-data.js";
import { duration } from "../progress/progress-text.js";

/** Points of a curve that are listed. */
const listedShares = [0.1, 0.3, 0.5, 0.7, 0.9];
const nearlyShare = 0.02;
const firstColumn = 26;
/** Widths of the curve's first column and of its others, within 80 characters together. */
const [curveColumn, curveCell] = [40, 8];

/** What a run wrote, and where. */
interface WrittenFolders {
  readonly out: string | undefined;
  /** Page of a dry run, which writes no folder. */
  readonly report: string | undefined;
  readonly plan: string | undefined;
}

/** What was lost and gained, as a table that fits 80 columns. */
export function reductionTable(run: ReductionRun, written: WrittenFolders): string {
  const { model, deleted, kept, rescore, greedyExact, order, compensate, measures, budget, bytes, milliseconds } = run;
  const share = ((100 * deleted) / model.hiddenSize).toFixed(1);
  const { out, plan, report = out } = written;
  const places = [
    ...(out === undefined ? [] : [`model ${out}`]),
    ...(report === undefined ? [] : [`report ${report}/report.html`]),
    ...(plan === undefined ? [] : [`plan ${plan}`]),
  ];
  const lines = [
    `${deleted} of ${model.hiddenSize} dimensions deleted (${share}%), ${kept} kept: ${order}, ${compensate}`,
    ...(rescore === undefined ? [] : [`exact logits for the ${rescore} likeliest tokens of each context`]),
    ...(greedyExact
      ? [`the likeliest token is the original's; all of E in ${share100(greedyExact.fallback)} of unseen contexts`]
      : []),
    ...(run.corpus.beginOfText ? ["every window starts with begin-of-text"] : []),
    "",
    row("", "KL", "JS", "top-1", "perplexity"),
    measured("  fitting text", measures.fit),
    measured("  unseen text", measures.check),
    ...(budget ? [measured(`  KL <= ${four(budget.maxKl)} verified on`, budget.verified)] : []),
    "",
    row("bytes, time", "original", "reduced", "ratio"),
    row("  multiplications, head", ...compared(run.multiplications, whole)),
    row("  head, factored (onnx)", ...compared(bytes.head, whole)),
    ...sizeLine("onnx", bytes.model, run),
    ...sizeLine("safetensors", bytes.safetensors?.model, run),
    ...(milliseconds ? [row("  ms per token, head", ...compared(milliseconds.head, four))] : []),
    ...(milliseconds?.step ? [row("  ms per token, step", ...compared(milliseconds.step, four))] : []),
    ...(run.curve ? ["", ...curveLines(run.curve, run.multiplications.before)] : []),
    ...(run.generated ?? []).map(
      ({ deleted: gone, mauve, mauveOfOriginal }) =>
        `text with ${gone} deleted, MAUVE against the original's: ${mauve?.toFixed(3) ?? "-"} (of two sets of its own: ${mauveOfOriginal?.toFixed(3) ?? "-"})`,
    ),
    ...run.warnings.map((warning) => `note: ${warning}`),
    "",
    `time ${duration(run.seconds)}, ${places.join(", ") || "nothing written"}`,
  ];
  return lines.map((line) => line.trimEnd()).join("\n");
}

function row(name: string, ...cells: string[]): string {
  return name.padEnd(firstColumn) + cells.map((cell) => cell.padEnd(13)).join("");
}

function measured(name: string, { kl, js, top1, perplexity }: ReductionMeasures): string {
  const perplexities = `${plainDecimal(perplexity.before, 2)} -> ${plainDecimal(perplexity.after, 2)}`;
  return row(name, plain(kl.mean), plain(js.mean), `${(100 * top1).toFixed(2)}%`, perplexities);
}

/** Bytes of the model in a format: what was written, or what it would be. */
function sizeLine(
  format: NonNullable<ReductionRun["format"]>,
  made: BeforeAfter | undefined,
  { format: written, bytes }: ReductionRun,
): string[] {
  const here = format === written && bytes.written;
  const sizes = here || made;
  return sizes ? [row(`  model as ${format}`, ...compared(sizes, whole), here ? "(written)" : "")] : [];
}

const share100 = (share: number) => `${(100 * share).toFixed(1)}%`;

const whole = (value: number) => value.toLocaleString("en");

function compared({ before, after }: { before: number; after: number }, shown: (value: number) => string): string[] {
  return [shown(before), shown(after), (after / before).toFixed(3)];
}

/** KL of each method at a few shares, and what two stages multiply there. @param whole V d */
function curveLines(curve: readonly CurvePoint[], whole: number): string[] {
  const methods = [...new Map(curve.map((point) => [curveName(point), point])).values()];
  const line = (name: string, method: CurvePoint, shown: (point: CurvePoint) => string) => {
    const cells = listedShares.map((share) => {
      const isAt = (one: CurvePoint) => Math.abs(one.fraction - share) < nearlyShare;
      const point = curve.find((one) => curveName(one) === curveName(method) && isAt(one));
      return (point === undefined ? "-" : shown(point)).padEnd(curveCell);
    });
    return `  ${name}`.padEnd(curveColumn) + cells.join("");
  };
  const work = ({ multiplications }: CurvePoint) => `${Math.round((100 * multiplications) / whole)}%`;
  const shares = listedShares.map((share) => `${100 * share}%`.padEnd(curveCell)).join("");
  return [
    `${"KL with this much deleted".padEnd(curveColumn)}${shares}`,
    ...methods.map((method) => line(curveName(method), method, ({ kl }) => plain(kl, 2))),
    "multiplications of the head",
    ...methods.slice(0, 1).map((method) => line("one stage", method, work)),
    ...methods.filter(({ rescore }) => rescore !== undefined).map((method) => line(curveName(method), method, work)),
  ];
}

function four(value: number): string {
  return plain(value, 4);
}
