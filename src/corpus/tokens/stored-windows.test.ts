import fc from "fast-check";
import { expect, test } from "vitest";
import { idsWithin, windowCount, windowedTokens } from "./stored-windows.js";
import { windows } from "./windows.js";

async function* inParts(count: number): AsyncGenerator<number[]> {
  for (let i = 0; i < count; i++) yield [i];
}

test("counts windows and tokens as `windows` makes them", async () => {
  const cases = fc.record({
    count: fc.integer({ min: 2, max: 200 }),
    contextLength: fc.integer({ min: 3, max: 20 }),
    begins: fc.integer({ min: 0, max: 2 }),
    maxTokens: fc.option(fc.integer({ min: 3, max: 250 })),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ count, contextLength, begins, maxTokens }) => {
      const shape = { contextLength, beginOfText: new Array<number>(begins).fill(7) };
      const stored = { count, ...shape };
      const limit = maxTokens ?? undefined;
      const found = [];
      for await (const window of windows(inParts(count), { ...shape, maxTokens: limit })) found.push(window.length);
      const tokens = found.reduce((sum, length) => sum + length, 0);
      expect(windowCount(stored, shape, limit)).toBe(found.length);
      if (limit === undefined) expect(windowedTokens(stored)).toBe(tokens);
      else expect(tokens).toBe(Math.min(limit, windowedTokens(stored)));
    }),
    { numRuns: 300 },
  );
});

test("so many tokens are made of so many ids", () => {
  const shape = { contextLength: 8, beginOfText: [0, 0] };
  expect([7, 8, 9, 10, 11, 16].map((tokens) => idsWithin(tokens, shape))).toEqual([5, 6, 6, 6, 7, 12]);
  for (let count = 1; count < 40; count++) {
    expect(idsWithin(windowedTokens({ count, ...shape }), shape)).toBe(count);
  }
});
