import type { Command } from "commander";
import type { Corpus } from "../corpus/corpus.js";
import {
  type GeneratedPair,
  type GeneratedPiece,
  type GeneratedTexts,
  generatedTexts,
  windowPrompts,
} from "../generation/generated-texts.js";
import type { Head } from "../model/head/head.js";
import type { Model } from "../model/model.js";
import type { EditPlan } from "../steering/plan/edit-plan.js";
import { integerUpTo, positiveInteger, wholeNumber } from "./options/numbers.js";
import { noProgress, tokenProgress } from "./progress/progress.js";
import { printable } from "./tables/analysis-table.js";
import { shownText } from "./tables/generated-table.js";

/** The arguments of a command that ask for generated texts. */
export interface GeneratedTextArguments {
  prompt?: string[];
  texts: number;
  textTokens: number;
}

const editsShown = 12;
const pairsShown = 3;
const maxTexts = 10_000;
/** Characters of each text in its column: two of them and the space between fit 80. */
const columnWidth = 38;

/** The options that go with generated texts. */
export function generatedTextOptions(command: Command): Command {
  return command
    .option("--prompt <text...>", "what texts before and after begin with (default: windows of the unseen text)")
    .option("--texts <n>", "how many texts to write before and after, 0 for none", textCount, 16)
    .option("--text-tokens <n>", "tokens of each", positiveInteger, 48);
}

const textCount = integerUpTo(maxTexts, wholeNumber, `at most ${maxTexts} are possible.`);

/** Texts of the original and of the head that was written; undefined where none are wanted. */
export async function writtenTexts(
  original: Model,
  head: Head,
  {
    args,
    plan,
    text,
    ...options
  }: {
    args: GeneratedTextArguments & { context?: number; quiet?: boolean };
    plan: EditPlan;
    /** Where prompts come from if none are given. */
    text: Corpus;
    separator: number | null | undefined;
    signal: AbortSignal;
  },
): Promise<GeneratedTexts | undefined> {
  const count = args.texts;
  if (count === 0) return undefined;
  const { separator, signal } = options;
  const prompts =
    args.prompt ?? (await windowPrompts(original, text, { count, contextLength: args.context, separator }));
  const seeds = Array.from({ length: Math.ceil(count / prompts.length) }, (_, seed) => seed);
  const progress = args.quiet ? noProgress : tokenProgress(process.stderr, "texts");
  let done = 0;
  try {
    return await generatedTexts({
      ...{ original, edited: { head }, prompts, seeds, signal },
      maxTokens: args.textTokens,
      editedTokens: plan.edits.map(({ tokens }) => tokens.map(({ id }) => id)),
      onToken: () => progress.update(++done, 2 * prompts.length * seeds.length * args.textTokens),
    });
  } finally {
    progress.stop();
  }
}

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
