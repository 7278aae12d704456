import type { GeneratedPair, GeneratedPiece, GeneratedTexts } from "../../generation/generated-texts.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { printable } from "./analysis-table.js";
import { shownText } from "./generated-table.js";

const editsShown = 12;
const pairsShown = 3;
/** Characters of each text in its column: two of them and the space between fit 80. */
const columnWidth = 38;

/** How often the edited tokens occur, and some texts side by side, in 80 columns. */
export function generatedTextTable({ edits }: EditPlan, { pairs, occurrences, tokens }: GeneratedTexts): string {
  const rate = (count: number, of: number) => `${count} (${((100 * count) / of).toFixed(2)}%)`;
  const lines = [`${`in ${pairs.length} generated texts`.padEnd(26)} before          after`];
  for (const [g, { before, after }] of occurrences.slice(0, editsShown).entries()) {
    const [{ text }, ...others] = edits[g]!.tokens as EditPlan["edits"][0]["tokens"] & [{ text: string }];
    const name = `${printable(text)}${others.length > 0 ? ` and ${others.length} more` : ""}`;
    lines.push(`  ${name.padEnd(24)} ${rate(before, tokens.before).padEnd(15)} ${rate(after, tokens.after)}`);
  }
  if (occurrences.length > editsShown) lines.push(`... and ${occurrences.length - editsShown} more`);
  lines.push("", "some of them before | after, edited tokens in brackets");
  // Those that the edit changed first: the others are one text twice.
  const changed = (pair: GeneratedPair) => Number(JSON.stringify(pair.before) !== JSON.stringify(pair.after));
  const shown = pairs.toSorted((a, b) => changed(b) - changed(a)).slice(0, pairsShown);
  return [...lines, ...shown.flatMap(sideBySide)].join("\n");
}

function sideBySide({ prompt, before, after }: GeneratedPair): string[] {
  const [left, right] = [before, after].map((pieces) => wrapped(plain(pieces)));
  const row = (a = "", b = "") => `${a.padEnd(columnWidth)} | ${b}`.trimEnd();
  const rows = Array.from({ length: Math.max(left!.length, right!.length) }, (_, i) => row(left![i], right![i]));
  return ["", `after ${JSON.stringify(shownText(prompt))}`.slice(0, 79), ...rows];
}

function plain(pieces: readonly GeneratedPiece[]): string {
  const marked = pieces.map(({ text, edited }) => (edited ? `[${text}]` : text)).join("");
  return shownText(marked).replace(/\n/g, "\u00b6").replace(/\t/g, " ");
}

/** Lines of a column, broken at spaces where there are some. */
function wrapped(text: string): string[] {
  return (
    text.match(new RegExp(`.{1,${columnWidth}}(?=\\s|$)|.{1,${columnWidth}}`, "gu"))?.map((line) => line.trimStart()) ??
    []
  );
}
