import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenIds } from "../corpus/token-ids.js";
import { windows } from "../corpus/windows.js";
import type { Model } from "../model/model.js";
import { memoryStore, type StoredContexts, storeContexts } from "../model/stored-contexts.js";
import { corpus } from "../node/corpus-files.js";
import { loadModel } from "../node/load-model.js";
import { compareMethods, sweepSizes } from "./experiments.js";

let model: Model;
let contexts: StoredContexts;
beforeAll(async () => {
  model = await loadModel(undefined, { threads: 2 });
  const text = await corpus(["test/goldens/tiny-books/text.txt"]);
  const ids = tokenIds(text, await model.tokenizer(), { vocabSize: model.vocabSize });
  contexts = await storeContexts(model, windows(ids, { contextLength: 256, maxTokens: 2000 }), memoryStore());
});
afterAll(async () => {
  await contexts.release();
  await model.close();
});
const subject = () => ({ head: model.head, engine: model.engine, contexts });
const groups = [{ tokens: [262], target: { scale: 0.5 } }];

test("the nearest edit is nearer to the ideal than that along the mean", async () => {
  const [nearest, mean] = await compareMethods(subject(), groups, ["nearest", "mean"]);
  expect([nearest!.method, mean!.method]).toEqual(["nearest", "mean"]);
  expect(nearest!.wantedScale).toBeCloseTo(0.5, 10);
  expect(nearest!.actualScale).toBeCloseTo(0.5, 4);
  expect(nearest!.solved.klToIdeal).toBeLessThan(mean!.solved.klToIdeal);
});

test("a larger lambda gives a smaller and less faithful edit", async () => {
  const [small, large] = await sweepSizes(subject(), groups, [1e-5, 1e-1]);
  expect(large!.solved.norms[0]!).toBeLessThan(small!.solved.norms[0]!);
  expect(large!.solved.klToIdeal).toBeGreaterThan(small!.solved.klToIdeal);
});
