import { plain, plainDecimal } from "../../report/page/numbers.js";
import type { EditCheck } from "../../steering/check/check.js";
import { checkTexts } from "../../steering/check/check-texts.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import type { ProbedEdit } from "../../steering/probes/probe-edits.js";
import { unsafeEdits } from "../../steering/probes/unsafe-edits.js";
import { isRounded, type SolvedGroup } from "../../steering/solve/solution.js";
import type { EditedRun } from "../../steering/steering-run.js";
import type { MeasuredWord } from "../../steering/words/measure-words.js";
import { printable } from "./analysis-table.js";
import { closingLines } from "./experiments-table.js";

const names = { fit: "fitting text", inDomain: "unseen, same kind", outOfDomain: "unseen, other kind" } as const;
const editsShown = 12;

/** What was asked for and what became of it, as a table that fits 80 columns. */
export function steeringTable({ edit, model, seconds, beginOfText }: EditedRun, out: string): string {
  const { plan, solution, check, probed, words } = edit;
  const { dtype } = model;
  const four = (value: number) => plain(value, 4);
  // What may do harm is said before all that went well.
  const unsafe = unsafeEdits(plan, probed);
  const lines = unsafe.flatMap((one) => [`warning: ${one}`, ""]);
  if (beginOfText) lines.push("every window starts with begin-of-text");
  for (const [g, group] of solution.groups.slice(0, editsShown).entries()) {
    const { tokens } = plan.edits[g]!;
    const { before, wanted } = group.probability;
    const more = tokens.length > 1 ? ` and ${tokens.length - 1} more` : "";
    const asked = "ban" in group.target && group.target.ban === true ? "banned" : `wanted x ${four(wanted / before)}`;
    const { prefix = [] } = plan.edits[g]!;
    const inContext = isInContext(plan.edits[g]!);
    const behind = inContext ? ` after ${prefix.map(({ text }) => printable(text)).join(" ")}` : "";
    lines.push(`${printable(tokens[0]!.text)}${more}${behind}: p ${plain(before)}, ${asked}`);
    if (inContext) lines.push(`  there               x ${four(group.probability.after / before)}`);
    for (const text of checkTexts) {
      const checked = check[text]?.groups[g];
      if (checked === undefined) continue;
      const { scale, interval, idealScale } = checked;
      lines.push(
        `  ${names[text].padEnd(20)}x ${four(scale).padEnd(10)} (${four(interval.low)} to ${four(interval.high)})${inContext ? "   everywhere" : `   a logit bias: ${four(idealScale)}`}`,
      );
    }
    lines.push(...wordLines(words?.[g]));
    lines.push(...worstCase(group, probed[g]!), ...roundingLine(group, dtype));
    if (group.shortfall !== undefined) lines.push(`  ${group.shortfall}`);
  }
  if (solution.groups.length > editsShown) lines.push(`... and ${solution.groups.length - editsShown} more`);
  lines.push("", ...itselfLines(check), "", ...othersLines(check));
  for (const warning of solution.warnings) if (!unsafe.includes(warning)) lines.push(`warning: ${warning}`);
  return [...lines, "", `written               ${out}`, ...closingLines(seconds, out)].join("\n");
}

function wordLines(word: MeasuredWord | undefined): string[] {
  if (word === undefined) return [];
  const { pieces, probability, elsewhere } = word;
  const text = pieces.map((piece) => piece.text).join("");
  const change = ({ before, after }: MeasuredWord["probability"]) =>
    `p ${plain(before, 3)} -> ${plain(after, 3)}  (x ${plain(after / before, 4)})`;
  return [
    `  the word as a whole ${change(probability)}  ${printable(text)}`,
    `  its piece elsewhere ${change(elsewhere.probability)}`,
  ];
}

/** What the edit does to the whole distribution. */
function itselfLines(check: EditCheck): string[] {
  return [
    "the edit itself       KL          JS          top-1    perplexity",
    ...collaterals(check).map(([text, { kl, js, top1, perplexity }]) => {
      const share = `${(100 * top1).toFixed(2)}%`.padEnd(9);
      return `  ${names[text].padEnd(20)}${plain(kl.mean).padEnd(12)}${plain(js.mean).padEnd(12)}${share}${plainDecimal(perplexity.before, 3)} -> ${plainDecimal(perplexity.after, 3)}`;
    }),
  ];
}

/** What it does to all tokens that were not edited, renormalised: nothing, as long as their rows are what they were. */
function othersLines(check: EditCheck): string[] {
  const all = collaterals(check);
  if (all.every(([, { klOthers, jsOthers }]) => klOthers.max === 0 && jsOthers.max === 0)) {
    return ["all other tokens      keep their proportions to one another in every context"];
  }
  return [
    "all other tokens      KL          JS",
    ...all.map(
      ([text, { klOthers, jsOthers }]) =>
        `  ${names[text].padEnd(20)}${plain(klOthers.mean).padEnd(12)}${plain(jsOthers.mean)}`,
    ),
  ];
}

const collaterals = (check: EditCheck) =>
  checkTexts.flatMap((text) => (check[text] ? [[text, check[text].collateral] as const] : []));

function worstCase({ bound }: SolvedGroup, { contexts, largest }: ProbedEdit): string[] {
  const [before, after] = [largest.before, largest.after].map((value) => plain(value, 2));
  const line = `  worst of ${contexts.toLocaleString("en")} probes  p ${after}, was ${before}`;
  if (bound === undefined) return [line];
  return [`${line}; each at most ${plain(bound.probability, 2)} ${bound.proven ? "anywhere" : "as measured"}`];
}

/** Where the number type and nothing else keeps a target from being met to the last digit. */
function roundingLine(group: SolvedGroup, dtype: string): string[] {
  if (!isRounded(group)) return [];
  return [
    `  off by ${plain(100 * Math.abs(group.rounding!), 2)}% on the fitting text: the weights' own rounding (${dtype})`,
  ];
}
