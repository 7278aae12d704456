import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { inParallel } from "./in-parallel.js";

test("runs every item once, never more than the limit at a time", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await inParallel([1, 2, 3, 4, 5, 6, 7], 3, undefined, async (item) => {
    most = Math.max(most, ++running);
    await wait(item % 3);
    running--;
    done.push(item);
  });
  expect(most).toBe(3);
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("the first failure stops the others and is what is thrown, when all have ended", async () => {
  let ended = 0;
  const started: number[] = [];
  const running = inParallel([1, 2, 3, 4], 2, undefined, async (item, signal) => {
    started.push(item);
    try {
      if (item === 1) throw new Error("first");
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("second"))));
    } finally {
      ended++;
    }
  });
  await expect(running).rejects.toThrow("first");
  expect(started).toEqual([1, 2]);
  expect(ended).toBe(2);
});

test("is aborted by the caller's signal", async () => {
  const controller = new AbortController();
  const running = inParallel([1], 1, controller.signal, async (_, signal) => {
    controller.abort(new Error("enough"));
    signal.throwIfAborted();
  });
  await expect(running).rejects.toThrow("enough");
});
