import type { BeforeAfter } from "../../measures/before-after.js";
import { plain, plainDecimal } from "../../report/page/numbers.js";
import type { TrimRun } from "../../trimming/trim-run.js";
import { printable } from "./analysis-table.js";
import { closingLines } from "./experiments-table.js";

const tokensShown = 8;

/** What went, what it costs and what it saves, as a table that fits 80 columns. */
export function trimTable(run: TrimRun, written: { out: string | undefined; report: string | undefined }): string {
  const { vocabSize, kept, removed, check, bytes, milliseconds, proof, mostUsed, warnings } = run;
  const count = (value: number) => Math.round(value).toLocaleString("en");
  const row = (name: string, { before, after }: BeforeAfter, shown: (value: number) => string) =>
    `  ${name.padEnd(24)}${shown(before).padEnd(14)}${shown(after).padEnd(14)}${plainDecimal(after / before, 3)}`;
  const why =
    kept.always === undefined
      ? ""
      : ` (${count(kept.always)} always stay, ${count(kept.chosen!)} chosen, ${count(kept.parts!)} their parts)`;
  const lines = [
    `${count(kept.tokens)} of ${count(vocabSize.before)} tokens stay${why}`,
    `those that go: ${plain(removed.mass)} of the output and ${plain(removed.ofText)} of the text ranked by`,
    "",
    "on unseen text            mean          95%           largest",
    `  probability removed     ${[check.removedMass.mean, check.removedMass.percentile95, check.removedMass.max].map((value) => plain(value).padEnd(14)).join("")}`.trimEnd(),
    `  KL(trimmed || original) ${plain(check.kl)} nats`,
    "",
    "                          original      trimmed       ratio",
    row("perplexity per byte", check.perplexityPerByte, (value) => plainDecimal(value, 4)),
    row("tokens per byte", check.tokensPerByte, (value) => plainDecimal(value, 4)),
    row("rows of E", vocabSize, count),
    row("bytes, head", bytes.head, count),
    row("bytes, model", bytes.model, count),
    row("ms per token, head", milliseconds.head, (value) => plain(value, 4)),
    row("ms per token, step", milliseconds.step, (value) => plain(value, 4)),
    "",
    `most used of those that go: ${mostUsed
      .slice(0, tokensShown)
      .map(({ text }) => printable(text))
      .join(" ")}`,
  ];
  if (run.corpus.beginOfText) lines.push("every window starts with begin-of-text");
  if (proof !== undefined) {
    lines.push(
      "",
      `read back: ${count(proof.sameTokens)} pieces of text with the same tokens, logits within ${plain(proof.logitDifference, 2)}`,
    );
  }
  for (const warning of warnings) lines.push(`note: ${warning}`);
  if (written.out !== undefined) lines.push("", `written               ${written.out}`);
  return [...lines, ...(written.report === undefined ? [] : closingLines(run.seconds, written.report))].join("\n");
}
