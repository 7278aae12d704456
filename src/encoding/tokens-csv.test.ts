import { expect, test } from "vitest";
import { plausibleAnalysis } from "../../test/support/plausible-analysis.js";
import { csvRows } from "../dynamics/inputs/csv-table.js";
import { parseTokenText, tokensCsv } from "./tokens-csv.js";

const strange = [
  ...[
    ' "quoted", with a comma',
    "a\nline\r\n\ttab",
    "back\\slash \\n",
    "",
    "\u0000\u001b[31m",
    "\u202ecba\u202c",
    "\ud800",
  ],
  ...["\u2028", "\u200d", "\ufeff", "é ü 漢字 🙂", "\u{e0041}", "=1+1", "\ufffd"],
];

test("every text survives the way through the table, which holds nothing that cannot be seen", () => {
  const tokens = Array.from({ length: 500 }, (_, id) => strange[id] ?? ` word${id}`);
  const analysis = plausibleAnalysis({ tokens });
  const csv = tokensCsv(analysis);
  expect(csv.replaceAll("\r\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  const [head, ...rows] = csvRows("tokens.csv", csv).map(({ cells }) => cells);
  expect(head).toEqual(["id", "text", "mean_probability", "fitted_probability", "count"]);
  expect(rows.map(([, text]) => parseTokenText(text!))).toEqual(tokens);
  const { statistics, encoding } = analysis;
  for (const [id, [idText, , alpha, fitted, count]] of rows.entries()) {
    expect(Number(idText)).toBe(id);
    expect(Number(alpha)).toBe(statistics.sumProbability[id]! / statistics.contexts);
    expect(Number(fitted)).toBe(Math.exp(-encoding.fitted[id]!));
    expect(Number(count)).toBe(statistics.tokenCounts[id]);
  }
});

test("what is not known is empty: the fitted value of padding, counts where no text was read", () => {
  const analysis = plausibleAnalysis({ vocabSize: 3, hiddenSize: 2 });
  analysis.encoding.tokenIds = Int32Array.of(0, 2);
  analysis.corpus.contextLength = undefined;
  const [, first, padding] = tokensCsv(analysis).split("\r\n");
  expect(padding).toMatch(/^1," word1",[\d.e-]+,,$/);
  expect(first).toMatch(/^0,"part0",[\d.e-]+,[\d.e-]+,$/);
});
