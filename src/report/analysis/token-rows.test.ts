import { expect, test } from "vitest";
import { plausibleAnalysis } from "../../../test/support/plausible-analysis.js";
import { leastBy, notableTokens } from "./token-rows.js";

test("picks the likeliest tokens and the worst and best fitted ones", () => {
  const analysis = plausibleAnalysis({ vocabSize: 60, hiddenSize: 8 });
  const { observed, fitted } = analysis.encoding;
  observed[7] = 0.5;
  fitted[11] = observed[11]! + 9;
  fitted[13] = observed[13]! - 9;
  fitted[17] = observed[17]!;
  const notable = notableTokens(analysis, 3, 2);
  expect(notable.likeliest[0]?.id).toBe(7);
  expect(notable.underestimated[0]?.id).toBe(11);
  expect(notable.underestimated[0]!.observed / notable.underestimated[0]!.fitted).toBeCloseTo(Math.exp(9), 3);
  expect(notable.overestimated[0]?.id).toBe(13);
  expect(notable.closest[0]?.id).toBe(17);
  expect(notable.likeliest[0]?.text).toBe(analysis.tokens[7]);
});

test("leaves out what is not finite and breaks ties by position", () => {
  expect(leastBy(Float64Array.of(2, Number.NaN, 1, 1, Number.NEGATIVE_INFINITY), 3)).toEqual([2, 3, 0]);
});
