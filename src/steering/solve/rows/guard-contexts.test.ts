import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { idText } from "../../../../test/support/id-text.js";
import { expectClose } from "../../../../test/support/written-models.js";
import { createProducts } from "../../../engine/products.js";
import { storeText } from "../../../model/contexts/store-text.js";
import type { StoredContexts } from "../../../model/contexts/stored-contexts.js";
import type { Model } from "../../../model/model.js";
import { memoryStore, roomBehind } from "../../../model/pass/row-store.js";
import { corpus } from "../../../node/corpus/corpus-files.js";
import { loadModel } from "../../../node/load-model.js";
import type { CheckText } from "../../check/check-texts.js";
import { planEdits } from "../../plan/edit-plan.js";
import { steer } from "../../steer.js";
import { makeTrials } from "../../trials/experiments.js";
import { runExperiments } from "../../trials/run-experiments.js";
import { missOf } from "../../trials/trial.js";
import { openTrialText } from "../../trials/trial-text.js";
import { solveEdits } from "../solve-edits.js";
import { guardContexts, guardWeight, isGuardedScale, rareTokens, windowsAround } from "./guard-contexts.js";

const vocabulary = (vocabSize: number, texts: { [id: number]: string | null } = {}) => ({
  vocabSize,
  produces: (id: number) => texts[id] !== null,
  tokenText: (id: number) => texts[id] ?? "",
});

describe("tokens that a text lacks", () => {
  const text = Int32Array.of(0, 0, 1, 3, 3, 3);

  test("each is named as often as it is missing", () => {
    const named = [...rareTokens(text, vocabulary(5), 100, 1)];
    expect(named.slice(0, 2).sort()).toEqual([2, 4]);
    expect(named.slice(2).sort()).toEqual([1, 2, 4]);
    expect([...rareTokens(text, vocabulary(5), 2, 1)].sort()).toEqual([2, 4]);
    expect([...rareTokens(Int32Array.of(0, 1, 1, 0), vocabulary(2), 100, 1)]).toEqual([]);
  });

  test("ids that the tokenizer never produces are left out", () => {
    expect([...rareTokens(text, vocabulary(5, { 4: null }), 100, 1)].sort()).toEqual([1, 2, 2]);
  });

  test("the seed says which find room, after pieces of characters", () => {
    const pieces = { 7: "\ufffd", 900: "a\ufffd" };
    const drawn = (seed: number) => [...rareTokens(new Int32Array(0), vocabulary(1000, pieces), 10, seed)];
    expect(drawn(1)).toHaveLength(10);
    expect(drawn(1).slice(0, 2).sort()).toEqual([7, 900]);
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });
});

test("factors from a thousandth on are guarded, whatever their last digits", () => {
  expect([0.05, 20, 1e-3, 1e-3 * (1 - 1e-15)].map(isGuardedScale)).toEqual([true, true, true, true]);
  expect([1e-6, 0.9e-3].map(isGuardedScale)).toEqual([false, false]);
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
  let guard: StoredContexts;
  const store = memoryStore();
  beforeAll(async () => {
    model = await loadModel(undefined, { threads: 1 });
    text = await storeText(model, await corpus(["test/goldens/tiny-books/text.txt"]), { tokens: 2000, store });
    guard = (await guardContexts(model, text, { store: roomBehind(store, text.count * text.hiddenSize) }))!;
  }, 60_000);
  afterAll(async () => {
    await text.release();
    await model.close();
  });

  test("it holds what the head multiplies after these tokens, behind what the store had", async () => {
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
    const begins = await model.hiddenStates({ count: 1, length: 10, tokenIds: text.tokenIds.slice(0, 10) });
    expectClose(await text.read(0, 10), begins);
  });

  test("a text with every token needs none", async () => {
    const tokenIds = Int32Array.from({ length: 2 * model.vocabSize }, (_, i) => i % model.vocabSize);
    const full = { count: tokenIds.length, tokenIds, windowStarts: Int32Array.of(0, tokenIds.length) };
    expect(await guardContexts(model, full)).toBeUndefined();
  });

  test("after other tokens that the text lacks, a guarded edit does what it does in the text, and another one need not", async () => {
    // Of another seed: mostly other tokens, and other contexts before the same ones.
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
          guardOf: async () => held,
          directions: async () => ({}),
        },
        [{ group: 0, target: { scale }, variant: { method: "nearest", calibrate: true, lambda: 1e-4 } }],
      );
      expect(missOf(trial!, "fit")).toBeLessThan(1e-6);
      return missOf(trial!, "outOfDomain");
    };
    const [alone, guarded] = [await missWith(undefined), await missWith(guard)];
    await Promise.all([products.release(), unseen.release()]);
    expect(alone).toBeGreaterThan(1);
    expect(guarded).toBeLessThan(alone / 3);
  }, 60_000);

  test("bans are fitted without it, which is not even asked for", async () => {
    const subject = { head: model.head, engine: model.engine, contexts: text };
    let asked = 0;
    const normOf = async (scale: number) => {
      const guardOf = async () => {
        asked++;
        return guard;
      };
      const groups = [{ tokens: [4776], target: { scale } }];
      return (await solveEdits(subject, groups, { calibrate: false, guardOf })).groups[0]!.norms[0]!;
    };
    const banned = await normOf(1e-4);
    expect(asked).toBe(0);
    const together = [
      { tokens: [4776], target: { scale: 1e-4 } },
      { tokens: [405], target: { scale: 2 } },
    ];
    const guardOf = async () => guard;
    const beside = await solveEdits(subject, together, { calibrate: false, guardOf });
    expect(beside.groups[0]!.norms[0]! / banned).toBeCloseTo(1, 2);
    expect(await normOf(0.002)).toBeGreaterThan(banned / 2);
    expect(asked).toBe(1);
  }, 60_000);

  test("steer holds its edits by it unless the plan says otherwise, and experiments do", async () => {
    const small = await loadModel("test/goldens/arch/gpt2", { threads: 1 });
    // 10 of the 160 tokens.
    const file = idText(Int32Array.from({ length: 600 }, (_, t) => (t * t + 7 * t) % 10));
    const normOf = async (guard: boolean | undefined) => {
      const plan = await planEdits(small, { "id:8": 0.05 }, { guard });
      const { solution } = await steer(
        small,
        { ...plan, lambda: 1e-6, fixedLambda: true },
        { corpus: file, probes: 20, allowUnsafe: true },
      );
      return solution.groups[0]!.norms[0]!;
    };
    const [usual, guarded, alone] = [await normOf(undefined), await normOf(true), await normOf(false)];
    const groups = [{ tokens: [8], target: { scale: 0.05 } }];
    const contexts = await storeText(small, file, {});
    const subject = { head: small.head, engine: small.engine, contexts };
    const solved = await solveEdits(subject, groups, { lambda: 1e-6, guardOf: () => guardContexts(small, contexts) });
    await contexts.release();
    expect(usual).toBe(guarded);
    expect(usual / solved.groups[0]!.norms[0]!).toBeCloseTo(1, 6);
    expect(alone / usual).toBeLessThan(0.9);
    const tried = async (guard: boolean | undefined) => {
      const plan = { ...(await planEdits(small, { "id:8": 0.05 }, { guard })), lambda: 1e-6, fixedLambda: true };
      const { tokenCounts } = await runExperiments(small, plan, { fit: file }, { tokenCounts: [600] });
      return tokenCounts![0]!.norm;
    };
    expect((await tried(undefined)) / usual).toBeCloseTo(1, 6);
    expect((await tried(false)) / alone).toBeCloseTo(1, 6);
    await small.close();
  }, 120_000);
});
