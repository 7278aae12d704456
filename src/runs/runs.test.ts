import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Corpus } from "../corpus/corpus.js";
import type { Engine } from "../engine/engine.js";
import { type Model, openModel } from "../model/model.js";
import { openCheckpoints } from "../node/checkpoints/checkpoints.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { openFolder } from "../node/files/file-source.js";
import { frequenciesFrom } from "../node/runs/frequencies-from.js";
import { comparisonRun } from "./comparison-run.js";
import { countRun } from "./count-run.js";
import { dynamicsRun } from "./dynamics-run.js";
import { generationRun } from "./generation-run.js";
import type { RunEvent } from "./run-events.js";

let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = createEngine({ threads: 1 });
  model = await openModel(openFolder("test/goldens/arch/gpt2"), engine, "gpt2");
});
afterAll(() => engine.close());

/** 40 ids in two documents. */
const text: Corpus = {
  files: [{ name: "ids", bytes: 160 }],
  async *documents() {
    yield { name: "ids", ids: chunks(Int32Array.from({ length: 30 }, (_, i) => i % 20)) };
    yield { name: "ids", ids: chunks(Int32Array.from({ length: 10 }, (_, i) => i)) };
  },
};

async function* chunks(ids: Int32Array) {
  yield ids;
}

describe("a run told apart from the command line", () => {
  it("counts, and tells how far it is", async () => {
    const events: RunEvent[] = [];
    const options = { vocabSize: model.vocabSize, tokens: 35, onEvent: (event: RunEvent) => events.push(event) };
    const { counts, tokens, distinct } = await countRun(text, undefined, options);
    expect([counts.length, tokens, distinct, counts[0]]).toEqual([model.vocabSize, 35, 20, 3]);
    expect(events.at(-1)).toMatchObject({ type: "progress", phase: "count", done: 35, total: 35, unit: "tokens" });
  });

  it("compares, and tells how far it is", async () => {
    const events: RunEvent[] = [];
    const options = { tokens: 32, contextLength: 8, separator: null, onEvent: (event: RunEvent) => events.push(event) };
    const { corpus, kl } = await comparisonRun(model, model, text, options);
    expect([corpus.contexts, kl.max]).toEqual([32, 0]);
    expect(events.at(-1)).toMatchObject({ phase: "compare", done: 32, total: 32, unit: "tokens" });
  });

  it("writes texts; aborted, it gives what was written until then", async () => {
    const events: RunEvent[] = [];
    const controller = new AbortController();
    const whole = await generationRun(model, { prompt: [1, 2, 3], maxTokens: 6, seed: 3 });
    expect([whole.interrupted, whole.tokens, whole.texts[0]!.ids.length]).toEqual([false, 6, 6]);
    const part = await generationRun(model, {
      ...{ prompt: [1, 2, 3], maxTokens: 6, seed: 3, signal: controller.signal },
      onEvent: (event) => events.push(event),
      onToken: () => events.length === 2 && controller.abort(new Error("enough")),
    });
    expect([part.interrupted, part.tokens, part.texts[0]!.finish]).toEqual([true, 2, "interrupted"]);
    expect(part.texts[0]!.ids).toEqual(whole.texts[0]!.ids.slice(0, 2));
    expect(events.at(-1)).toMatchObject({ phase: "generate", done: 2, total: 6, unit: "tokens" });
    await expect(generationRun(model, { prompt: [-1] })).rejects.toThrow(/-1/);
  });

  it("watches checkpoints, and says which rows stand for no token", async () => {
    const events: RunEvent[] = [];
    const { checkpoints } = await openCheckpoints(["assets/tiny-books-neox/steps/step{0,32}"]);
    const source = frequenciesFrom({ counts: "assets/tiny-books-neox/token-counts.npy" });
    const { probes } = await dynamicsRun(checkpoints, {
      frequencies: async (vocabSize) => ({ ...(await source(vocabSize)), paddingRows: 3 }),
      onEvent: (event) => events.push(event),
    });
    expect(probes.map(({ step }) => step)).toEqual([0, 32]);
    expect(events).toContainEqual({
      type: "notice",
      message: expect.stringMatching(/^3 of \d+ rows stand for no token \(padding\) and are left out$/),
    });
    expect(events).toContainEqual(expect.objectContaining({ phase: "probe", done: 1, total: 2, unit: "checkpoints" }));
  });
});
