import fc from "fast-check";
import { expect, test } from "vitest";
import { type WindowOptions, windows } from "./windows.js";

async function* stream(...parts: number[][]): AsyncGenerator<number[]> {
  yield* parts;
}

async function collect(parts: number[][], options: WindowOptions): Promise<number[][]> {
  const result: number[][] = [];
  for await (const window of windows(stream(...parts), options)) result.push([...window]);
  return result;
}

test("cuts ids into windows and keeps the short last one", async () => {
  const parts = [[1, 2], [], [3, 4, 5, 6], [7]];
  expect(await collect(parts, { contextLength: 3 })).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  expect(await collect(parts, { contextLength: 7 })).toEqual([[1, 2, 3, 4, 5, 6, 7]]);
  expect(await collect(parts, { contextLength: 1, maxTokens: 2 })).toEqual([[1], [2]]);
});

test("stops after exactly maxTokens", async () => {
  const parts = [[1, 2, 3, 4, 5, 6, 7]];
  expect(await collect(parts, { contextLength: 3, maxTokens: 5 })).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(await collect(parts, { contextLength: 3, maxTokens: 6 })).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(await collect(parts, { contextLength: 3, maxTokens: 100 })).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
});

test("reads no more than it needs", async () => {
  let read = 0;
  async function* endless() {
    for (;;) {
      read++;
      yield [1, 2, 3];
    }
  }
  let count = 0;
  for await (const window of windows(endless(), { contextLength: 4, maxTokens: 6 })) count += window.length;
  expect([count, read]).toEqual([6, 2]);
});

test("starts every window with the begin-of-text token and counts it", async () => {
  const parts = [[1, 2, 3, 4, 5]];
  expect(await collect(parts, { contextLength: 3, beginOfText: [9] })).toEqual([
    [9, 1, 2],
    [9, 3, 4],
    [9, 5],
  ]);
  expect(await collect([[1, 2]], { contextLength: 3, beginOfText: [0] })).toEqual([[0, 1, 2]]);
  expect(await collect(parts, { contextLength: 3, beginOfText: [9], maxTokens: 5 })).toEqual([
    [9, 1, 2],
    [9, 3],
  ]);
  expect(await collect(parts, { contextLength: 3, beginOfText: [9], maxTokens: 4 })).toEqual([[9, 1, 2], [9]]);
});

test("windows are the ids in order, whatever the parts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(99), { maxLength: 20 }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 15 }),
      fc.integer({ min: 1, max: 100 }),
      async (parts, contextLength, maxTokens) => {
        const all = parts.flat();
        fc.pre(all.length >= 2);
        const found = await collect(parts, { contextLength, maxTokens });
        expect(found.flat()).toEqual(all.slice(0, maxTokens));
        expect(found.slice(0, -1).every(({ length }) => length === contextLength)).toBe(true);
        expect(found.at(-1)!.length).toBeGreaterThan(0);
      },
    ),
  );
});

test("refuses a text of fewer than two tokens and impossible lengths", async () => {
  await expect(collect([], { contextLength: 4 })).rejects.toThrow("corpus: has 0 tokens; at least two are needed");
  await expect(collect([[5]], { contextLength: 4, beginOfText: [1] })).rejects.toThrow("corpus: has 1 token;");
  await expect(collect([[5, 6]], { contextLength: 0 })).rejects.toThrow("contextLength: is 0");
  await expect(collect([[5, 6]], { contextLength: 1, beginOfText: [0] })).rejects.toThrow("at least 2 is wanted");
  await expect(collect([[5, 6]], { contextLength: 2, maxTokens: 1.5 })).rejects.toThrow("tokens: is 1.5");
});
