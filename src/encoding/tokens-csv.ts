import type { Analysis } from "./analysis.js";

const columns = ["id", "text", "mean_probability", "fitted_probability", "count"];
const shortEscapes: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** What a reader cannot see, or a program may swallow: controls, format characters, lone surrogates, line separators. */
const escapedCharacters = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Every token of an analysis as a line of a table (RFC 4180, UTF-8): id, text, alpha, exp(-(A . E_w + B)), how often the
 * text has it. Texts stand in quotes; what cannot be seen, and the backslash, is escaped as in JSON, so that
 * `parseTokenText` gives the text back. Empty: the fitted value of padding, the count where no text was read.
 */
export function tokensCsv({ tokens, statistics, encoding, corpus }: Analysis): string {
  const { contexts, sumProbability, tokenCounts } = statistics;
  const fitted = new Map(Array.from(encoding.tokenIds, (id, i) => [id, Math.exp(-encoding.fitted[i]!)]));
  const counted = corpus.contextLength !== undefined;
  const lines = tokens.map((text, id) =>
    [
      id,
      `"${escapedText(text).replaceAll('"', '""')}"`,
      sumProbability[id]! / contexts,
      fitted.get(id) ?? "",
      counted ? tokenCounts[id]! : "",
    ].join(","),
  );
  return [columns.join(","), ...lines, ""].join("\r\n");
}

function escapedText(text: string): string {
  return text.replace(escapedCharacters, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return shortEscapes[character] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** The text that stands in a cell of the table, with its quotes taken off. */
export function parseTokenText(cell: string): string {
  return JSON.parse(`"${cell.replaceAll('"', '\\"')}"`);
}
