import { expect, test } from "vitest";
import type { EditCheck } from "./check.js";
import { oppositeEffects } from "./opposite-effects.js";

const edits = [{ label: " sea=x0.2", target: { scale: 0.2 }, tokens: [{ id: 1, text: " sea" }] }];
const groups = (scale: number) => [{ probability: { before: 0.01, wanted: 0.01 * scale, after: 0.01 * scale } }];
const measured = (scale: number, low: number, high: number) =>
  ({ outOfDomain: { groups: [{ scale, interval: { low, high } }] } }) as unknown as EditCheck;

test("an edit that does the opposite of what it is for is named, with the text and both factors", () => {
  const [warning, ...others] = oppositeEffects({ edits }, groups(0.2), measured(3.91, 1.2, 7));
  expect(others).toEqual([]);
  expect(warning).toMatch(/unseen text of another kind " sea=x0\.2" makes its tokens 3\.91 times as likely, not 0\.2/);
  expect(oppositeEffects({ edits }, groups(5), measured(0.5, 0.4, 0.9))).toHaveLength(1);
});

test("what chance may have done, or only too little, is no warning", () => {
  expect(oppositeEffects({ edits }, groups(0.2), measured(1.1, 0.7, 1.6))).toEqual([]);
  expect(oppositeEffects({ edits }, groups(0.2), measured(0.6, 0.5, 0.7))).toEqual([]);
  expect(oppositeEffects({ edits }, groups(5), measured(1.4, 1.2, 1.7))).toEqual([]);
});
