import { type ComparedModel, type Comparison, largestMovers } from "../../compare/comparison.js";
import type { Spread } from "../../measures/context-values.js";
import { isSame } from "../../report/comparison/comparison-headline.js";
import { plain, plainDecimal } from "../../report/page/numbers.js";
import { duration } from "../progress/progress-text.js";
import { printable } from "./analysis-table.js";
import { beginNote } from "./begin-note.js";

const lineWidth = 80;
const firstColumn = 26;
const columnWidth = 13;

/** The results as a table that fits 80 columns, however long the models' names are. @param movers tokens to list */
export function comparisonTable(comparison: Comparison, movers: number, seconds: number, out: string): string {
  const { models, corpus, top1Agreement, perplexity, tokensPerSecond } = comparison;
  const count = (value: number) => value.toLocaleString("en");
  const spread = ({ mean, percentile95, max }: Spread) =>
    columns(...[mean, percentile95, max].map((value) => plain(value)));
  const rows: [string, string][] = [
    ["A", modelLine(models.a)],
    ["B", modelLine(models.b)],
    ...vocabularyRows(comparison),
    ["contexts", `${count(corpus.contexts)} in windows of ${count(corpus.contextLength)}${beginNote(corpus)}`],
    ["", ""],
    ["nats", columns("mean", "95%", "max")],
    ["  KL(A || B)", spread(comparison.kl)],
    ["  KL(B || A)", spread(comparison.reverseKl)],
    ["  JS", spread(comparison.js)],
    ["top-1 agreement", `${(100 * top1Agreement).toFixed(2)}%`],
    ["perplexity", `A ${shownPerplexity(perplexity.a)}, B ${shownPerplexity(perplexity.b)}`],
    ["", ""],
    ...moverRows(comparison, movers),
    ["", ""],
    ["time", `${duration(seconds)}, ${count(Math.round(tokensPerSecond))} tokens/s`],
    ["run", `${out}/run.json`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(firstColumn)}${value}`.trimEnd()).join("\n");
}

/** Said only where padding is left out. */
function vocabularyRows({ models: { a, b }, vocabSize }: Comparison): [string, string][] {
  if (a.rows === vocabSize && b.rows === vocabSize) return [];
  const [left, right] = [a.rows - vocabSize, b.rows - vocabSize].map((rows) => rows.toLocaleString("en"));
  return [
    ["tokens", `${vocabSize.toLocaleString("en")}; left out (padding, or trimmed): ${left} rows of A, ${right} of B`],
  ];
}

function moverRows(comparison: Comparison, movers: number): [string, string][] {
  if (isSame(comparison)) return [["largest movers", "none: both models give the same output"]];
  return [
    ["largest movers", columns("alpha A", "alpha B", "B / A")],
    ...largestMovers(comparison, movers).map(({ token, a, b, scale }): [string, string] => [
      `  ${printable(token)}`,
      columns(plain(a), plain(b), plain(scale, 5)),
    ]),
  ];
}

function columns(...cells: string[]): string {
  return cells.map((cell) => cell.padEnd(columnWidth)).join("");
}

function modelLine({ name, modelType, hiddenSize }: ComparedModel): string {
  const rest = ` (${modelType}), d = ${hiddenSize.toLocaleString("en")}`;
  const room = lineWidth - firstColumn - rest.length;
  return `${name.length <= room ? name : `...${name.slice(3 - room)}`}${rest}`;
}

function shownPerplexity(value: number): string {
  return Number.isNaN(value) ? "none (windows of one token)" : plainDecimal(value, 3);
}
