import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProducts } from "../engine/products.js";
import type { Model } from "../model/model.js";
import { storeText } from "../model/store-text.js";
import { memoryStore, roomBehind, type StoredContexts } from "../model/stored-contexts.js";
import { corpus } from "../node/corpus-files.js";
import { loadModel } from "../node/load-model.js";
import type { CheckText } from "./check.js";
import { makeTrials } from "./experiments.js";
import { guardContexts, guardWeight, leastGuarded, rareTokens, windowsAround } from "./guard-contexts.js";
import { solveEdits } from "./solve-edits.js";
import { missOf } from "./trial.js";
import { openTrialText } from "./trial-text.js";

describe("tokens that a text lacks", () => {
  const text = Int32Array.of(0, 0, 1, 3, 3, 3);

  test("each is named as often as it is missing", () => {
    const named = [...rareTokens(text, 5, 100, 1)];
    expect(named.slice(0, 2).sort()).toEqual([2, 4]);
    expect(named.slice(2).sort()).toEqual([1, 2, 4]);
    expect([...rareTokens(text, 5, 2, 1)].sort()).toEqual([2, 4]);
    expect([...rareTokens(Int32Array.of(0, 1, 1, 0), 2, 100, 1)]).toEqual([]);
  });

  test("the seed says which find room", () => {
    const drawn = (seed: number) => [...rareTokens(new Int32Array(0), 1000, 10, seed)];
    expect(drawn(1)).toHaveLength(10);
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });
});

describe("windows around them", () => {
  const text = { tokenIds: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), windowStarts: Int32Array.of(0, 5, 6, 9) };

  test("they stand in every second place of the text's own windows, which begin again when they are used up", () => {
    const windows = windowsAround(Int32Array.of(20, 21, 22, 23, 24, 25), text);
    expect(windows.map((window) => [...window])).toEqual([
      [1, 20, 3, 21],
      [7, 22],
      [1, 23, 3, 24],
      [7, 25],
    ]);
  });

  test("windows of one token have no second place", () => {
    const single = { tokenIds: Int32Array.of(1, 2), windowStarts: Int32Array.of(0, 1, 2) };
    expect(windowsAround(Int32Array.of(20), single)).toEqual([]);
  });
});

test("a guard counts a tenth of its text at most", () => {
  expect(guardWeight(8000, 500) * 8000).toBe(1);
  expect(guardWeight(8000, 4000) * 4000).toBeCloseTo(1 / 10, 12);
});

describe("of the embedded model", () => {
  let model: Model;
  let text: StoredContexts;
  const store = memoryStore();
  beforeAll(async () => {
    model = await loadModel(undefined, { threads: 2 });
    text = await storeText(model, await corpus(["test/goldens/tiny-books/text.txt"]), { tokens: 4000, store });
  }, 60_000);
  afterAll(async () => {
    await text.release();
    await model.close();
  });

  test("it holds what the head multiplies after these tokens, behind what the store had", async () => {
    const before = await text.read(0, 10);
    const behind = roomBehind(store, text.count * text.hiddenSize);
    const guard = (await guardContexts(model, text, { store: behind }))!;
    expect(guard.count).toBe(2048);
    const [window] = windowsAround(guard.tokenIds, text);
    const length = window!.length;
    const all = await model.hiddenStates({ count: 1, length, tokenIds: window! });
    const rows = await guard.read(3, 5);
    const d = model.hiddenSize;
    for (const [i, place] of [7, 9].entries()) {
      expect(guard.tokenIds[3 + i]).toBe(window![place]);
      expect([...rows.subarray(i * d, (i + 1) * d)]).toEqual([...all.subarray(place * d, (place + 1) * d)]);
    }
    await guard.release();
    expect(await text.read(0, 10)).toEqual(before);
  });

  test("a text with every token needs none", async () => {
    const tokenIds = Int32Array.from({ length: 2 * model.vocabSize }, (_, i) => i % model.vocabSize);
    const full = { count: tokenIds.length, tokenIds, windowStarts: Int32Array.of(0, tokenIds.length) };
    expect(await guardContexts(model, full)).toBeUndefined();
  });

  test("after tokens that the text lacks, a guarded edit does what it does in the text, and another one need not", async () => {
    const guard = (await guardContexts(model, text))!;
    // Of another seed: other tokens, and other contexts before the same ones.
    const unseen = (await guardContexts(model, text, { seed: 2 }))!;
    const products = await createProducts(model.engine, model.hiddenSize);
    const opened = (name: CheckText, contexts: StoredContexts) => openTrialText(name, { ...model, contexts }, products);
    const texts = [await opened("fit", text), await opened("outOfDomain", unseen)] as const;
    const scale = 0.02;
    const missWith = async (held: StoredContexts | undefined) => {
      const [trial] = await makeTrials(
        {
          ...{ head: model.head, engine: model.engine, texts, seed: 1 },
          groups: [{ label: "", tokens: [{ id: 4776, text: "" }] }],
          beginning: () => text,
          guard: async () => held,
          directions: async () => ({}),
        },
        [{ group: 0, target: { scale }, variant: { method: "nearest", calibrate: true, size: 1e-4 } }],
      );
      expect(missOf(trial!, "fit")).toBeLessThan(1e-6);
      return missOf(trial!, "outOfDomain");
    };
    const [alone, guarded] = [await missWith(undefined), await missWith(guard)];
    await Promise.all([products.release(), guard.release(), unseen.release()]);
    expect(alone).toBeGreaterThan(1);
    expect(guarded).toBeLessThan(alone / 3);
  }, 60_000);

  test("bans are fitted without it", async () => {
    const guard = (await guardContexts(model, text))!;
    const subject = { head: model.head, engine: model.engine, contexts: text };
    const normOf = async (scale: number, held: StoredContexts | undefined) => {
      const groups = [{ tokens: [4776], target: { scale } }];
      return (await solveEdits(subject, groups, { calibrate: false, guard: held })).groups[0]!.norms[0]!;
    };
    expect((await normOf(leastGuarded / 2, guard)) / (await normOf(leastGuarded / 2, undefined))).toBeCloseTo(1, 2);
    expect((await normOf(2 * leastGuarded, guard)) / (await normOf(2 * leastGuarded, undefined))).toBeGreaterThan(1.05);
    await guard.release();
  }, 60_000);
});
