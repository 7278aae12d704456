import { expect, test } from "vitest";
import { untilAborted } from "./until-aborted.js";

async function* slow(count: number) {
  for (let i = 0; i < count; i++) yield i;
  await new Promise(() => {});
}

async function collect(items: AsyncIterable<number>, into: number[] = []) {
  for await (const item of items) into.push(item);
  return into;
}

test("passes items on and ends with them", async () => {
  async function* three() {
    yield* [1, 2, 3];
  }
  expect(await collect(untilAborted(three(), new AbortController().signal))).toEqual([1, 2, 3]);
});

test("ends with the signal's reason while an item is being waited for that never comes", async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const collecting = collect(untilAborted(slow(2), controller.signal), seen);
  setTimeout(() => controller.abort(new Error("stopped")), 20);
  await expect(collecting).rejects.toThrow("stopped");
  expect(seen).toEqual([0, 1]);
});

test("takes nothing from items when the signal was aborted before", async () => {
  await expect(collect(untilAborted(slow(2), AbortSignal.abort(new Error("before"))))).rejects.toThrow("before");
});
