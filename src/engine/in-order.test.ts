import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { inOrder } from "./in-order.js";

async function* numbers(count: number) {
  for (let i = 0; i < count; i++) yield i;
}

test("keeps the order of the items however long each takes, and the number under way", async () => {
  let underWay = 0;
  let most = 0;
  const results: number[] = [];
  const work = async (item: number) => {
    most = Math.max(most, ++underWay);
    await setTimeout((7 * item) % 5);
    underWay--;
    return item * item;
  };
  for await (const result of inOrder(numbers(20), 3, work)) results.push(result);
  expect(results).toEqual(Array.from({ length: 20 }, (_, i) => i * i));
  expect(most).toBe(3);
});

test("an item that fails stops the work, and what is under way ends quietly", async () => {
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    await setTimeout(1);
    if (item >= 4) throw new Error(`item ${item}`);
    return item;
  };
  const all = async () => {
    for await (const _ of inOrder(numbers(1000), 2, work));
  };
  await expect(all()).rejects.toThrow("item 4");
  expect(begun.length).toBeLessThan(8);
});
