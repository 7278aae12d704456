import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../engine/engine.js";
import { type Model, openModel } from "../model/model.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { openFolder } from "../node/files/file-source.js";
import { continueTexts, sampleRandom } from "./continuations.js";
import { endOfTextIds } from "./end-of-text.js";
import { type GeneratedToken, generate } from "./generate.js";

const golden = JSON.parse(await readFile("test/goldens/generated.json", "utf8"));
let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = createEngine({ threads: 2 });
  model = await openModel(openFolder("assets/tiny-books"), engine, "tiny-books");
});
afterAll(() => engine.close());

describe("greedy", () => {
  it("writes what transformers writes, prompts of several lengths beside one another", async () => {
    const { texts, prompts, generated } = golden["tiny-books"];
    const found = await generate(model, { prompts: texts, maxTokens: 60, temperature: 0, batchSize: 3 });
    expect(found.map(({ ids }) => ids)).toEqual(generated);
    const { encode, decode } = await model.tokenizer();
    expect(texts.map(encode)).toEqual(prompts);
    found.forEach(({ text, prompt }, index) => {
      expect(text).toBe(decode(generated[index]));
      expect(prompt).toBe(index);
    });
  });

  it.each(Object.entries<{ prompts: number[][]; generated: number[][] }>(golden.arch))(
    "%s: what transformers writes",
    async (name, { prompts, generated }) => {
      const tiny = await openModel(openFolder(`test/goldens/arch/${name}`), engine, name);
      const found = await generate(tiny, { prompts, maxTokens: 20, temperature: 0 });
      expect(found.map(({ ids }) => ids)).toEqual(generated);
      const ends = await endOfTextIds(tiny.folder);
      expect(found.map(({ finish }) => finish)).toEqual(
        generated.map((ids) => (ends.has(ids.at(-1)!) ? "end" : "length")),
      );
    },
  );
});

const ids = (texts: readonly { ids: readonly number[] }[]) => texts.map((text) => text.ids);

describe("samples", () => {
  const prompts = ["It was", "She said that the", "A"];
  const sampled = { prompts, maxTokens: 24, temperature: 0.9, topK: 200, topP: 0.95, seed: 5 };

  it("are the same whatever is written beside them, and others for another seed", async () => {
    const all = await generate(model, { ...sampled, n: 3, batchSize: 9 });
    expect(all.map(({ prompt, sample }) => [prompt, sample])).toEqual(
      [0, 1, 2].flatMap((prompt) => [0, 1, 2].map((sample) => [prompt, sample])),
    );
    const inPairs = await generate(model, { ...sampled, n: 3, batchSize: 2 });
    expect(ids(inPairs)).toEqual(ids(all));
    const first = await generate(model, { ...sampled, prompts: prompts.slice(0, 1), n: 2 });
    expect(ids(first)).toEqual(ids(all.slice(0, 2)));
    expect(new Set(all.map((text) => text.text)).size).toBe(9);
    const other = await generate(model, { ...sampled, seed: 6 });
    expect(ids(other)).not.toEqual(ids(all.filter(({ sample }) => sample === 0)));
  });

  it("arrive token by token, text in whole characters", async () => {
    const seen: GeneratedToken[] = [];
    const texts = await generate(model, { ...sampled, n: 2, onToken: (token) => seen.push(token) });
    for (const { prompt, sample, ids, text } of texts) {
      const own = seen.filter((token) => token.prompt === prompt && token.sample === sample);
      expect(own.map(({ id }) => id)).toEqual(ids);
      expect(text.startsWith(own.map((token) => token.text).join(""))).toBe(true);
    }
  });

  it("stop where they are told to", async () => {
    const stop = new AbortController();
    let count = 0;
    const onToken = () => {
      if (++count === 7) stop.abort(new Error("enough"));
    };
    await expect(generate(model, { ...sampled, maxTokens: 10_000, signal: stop.signal, onToken })).rejects.toThrow(
      "enough",
    );
    expect(count).toBeLessThan(14);
  });
});

describe("texts that must not say something", () => {
  const written = { prompts: ["It was", "She said that the"], n: 1, maxTokens: 24, seed: 4, banLag: 8 };
  const ban = ["and", "/[.!?]/", "ing "];
  const said = /and|[.!?]|ing /i;

  it.each(["aligned", "mask"] as const)("%s: none of them does, in a batch as alone", async (banMethod) => {
    const events: GeneratedToken[] = [];
    const options = { ...written, ban, banMethod, ignoreCase: true };
    const together = await generate(model, { ...options, onToken: (token) => events.push(token) });
    for (const { prompt, sample, ids, text, finish, withdrawn, calls } of together) {
      expect(text).not.toMatch(said);
      expect({ finish, length: ids.length }).toEqual({ finish: "length", length: 24 });
      // Each token once, and those that were taken back after they had been read.
      expect(calls).toBeGreaterThanOrEqual(24);
      expect(calls - 24).toBeLessThanOrEqual(withdrawn);
      // What was told stayed.
      const told = events.filter((token) => token.prompt === prompt && token.sample === sample);
      expect(told.map(({ id }) => id)).toEqual(ids);
      expect(told.map((token) => token.text).join("")).toBe(text);
    }
    const withdrawn = together.map((text) => text.withdrawn).reduce((a, b) => a + b);
    if (banMethod === "mask") expect(withdrawn).toBe(0);
    else expect(withdrawn).toBeGreaterThan(8);
    const alone = await generate(model, { ...options, prompts: written.prompts.slice(0, 1), batchSize: 1 });
    expect(ids(alone)).toEqual(ids(together.slice(0, 1)));
  });

  it("are those that are written without a ban where nothing banned comes", async () => {
    const free = await generate(model, written);
    expect(free.map(({ calls, withdrawn }) => [calls, withdrawn])).toEqual(free.map(() => [24, 0]));
    const clear = await generate(model, { ...written, ban: ["unembedding"] });
    expect(clear).toEqual(free);
    const greedy = { prompt: "It was", maxTokens: 16, temperature: 0 };
    const [first] = await generate(model, greedy);
    const [other] = await generate(model, { ...greedy, ban: [first!.text.slice(-12)] });
    expect(other!.text).not.toContain(first!.text.slice(-12));
  });

  it("may be given up, and may have no way on", async () => {
    const options = { prompt: "It was", maxTokens: 20, ban: [/[a-z]{4}/] };
    const [none] = await generate(model, { ...options, banMethod: "reject", banTries: 3 });
    expect(none).toMatchObject({ ids: [], text: "", finish: "banned" });
    const [ended] = await generate(model, { ...options, ban: [/[\s\S]/], topK: 40 });
    expect(ended).toMatchObject({ ids: [], text: "", finish: "banned", calls: 1 });
  });

  it("go back over the half that a full text goes on from", async () => {
    // A tokenizer of 8,192 tokens on a model of few positions.
    const short = { ...model, maxPositions: 24 };
    const options = { ...written, prompt: "It was", prompts: undefined, n: 1, ban: ["the"], maxTokens: 40 };
    for (const banMethod of ["aligned", "mask"] as const) {
      const [text] = await generate(short, { ...options, banMethod, banLag: 30 });
      expect(text!.restarts).toBeGreaterThan(1);
      expect(text!.text).not.toContain("the");
      expect(text!.ids).toHaveLength(40);
    }
  });
});

describe("a text that fills the model's positions", () => {
  it("goes on from its last half, in a batch as alone", async () => {
    const tiny = await openModel(openFolder("test/goldens/arch/gpt2"), engine, "gpt2");
    const { maxPositions } = tiny;
    expect(maxPositions).toBe(64);
    const prompts = [[3, 1, 4, 1, 5, 9, 2, 6], [7]];
    const options = { maxTokens: 150, temperature: 1.5, endOfText: new Set<number>() };
    const openings = () => prompts.map((ids, prompt) => ({ ids, random: sampleRandom(2, prompt, 0) }));
    const together = await continueTexts(tiny, openings(), { ...options, batchSize: 2 });
    expect(together.map(({ ids }) => ids.length)).toEqual([150, 150]);
    // 64 positions are full after 56 and 63 more tokens, and again after each 32: the last token is not read.
    expect(together.map(({ restarts }) => restarts)).toEqual([3, 3]);
    const [alone] = await continueTexts(tiny, openings().slice(0, 1), options);
    expect(alone!.ids).toEqual(together[0]!.ids);

    // What follows a restart is what follows its context, read anew.
    const greedy = await generate(tiny, { prompts, maxTokens: 70, temperature: 0 });
    const whole = [...prompts[0]!, ...greedy[0]!.ids];
    const { logits } = await tiny.forward(whole.slice(33, 65), { logits: true });
    const last = logits!.subarray(-tiny.vocabSize);
    expect(last.indexOf(Math.max(...last))).toBe(whole[65]);
  });
});

it.each<[string, Parameters<typeof generate>[1], RegExp]>([
  ["no prompt", {}, /prompt: is missing/],
  ["no prompts", { prompts: [] }, /prompt: is missing/],
  [
    "a prompt longer than the model's positions",
    { prompt: "word ".repeat(300) },
    /has \d+ tokens; tiny-books takes 256/,
  ],
  ["an id outside the vocabulary", { prompt: [5, 8192] }, /id 8192 at 1 is outside the vocabulary \(0 to 8191\)/],
  ["no tokens", { prompt: "a", maxTokens: 0 }, /maxTokens: is 0/],
  ["no texts", { prompt: "a", n: 0 }, /n: is 0/],
  ["a temperature below 0", { prompt: "a", temperature: -1 }, /temperature: is -1/],
  ["a temperature that is none", { prompt: "a", temperature: Number.NaN }, /temperature: is NaN/],
  ["top-k of 0", { prompt: "a", topK: 0 }, /topK: is 0/],
  ["top-p of 0", { prompt: "a", topP: 0 }, /topP: is 0/],
  ["top-p above 1", { prompt: "a", topP: 1.1 }, /topP: is 1.1/],
  ["a seed that is no whole number", { prompt: "a", seed: 0.5 }, /seed: is 0.5/],
  ["batches of none", { prompt: "a", batchSize: 0 }, /batchSize: is 0/],
  ["a ban that the prompt says", { prompt: "a cat", ban: ["cat"] }, /ban "cat": matches the prompt itself/],
  ["a lag of none", { prompt: "a", ban: ["cat"], banLag: 0 }, /banLag: is 0/],
  ["begging to differ", { prompt: "a", ban: ["cat"], banMethod: "reject", temperature: 0 }, /banMethod: is reject/],
])("%s is refused", async (_name, options, message) => {
  await expect(generate(model, options)).rejects.toThrow(message);
});

it("begins an empty prompt with the begin-of-text token", async () => {
  const [empty] = await generate(model, { prompt: "", maxTokens: 5, temperature: 0 });
  const { beginOfText } = await model.tokenizer();
  const [given] = await generate(model, { prompt: [beginOfText!], maxTokens: 5, temperature: 0 });
  expect(empty!.ids).toEqual(given!.ids);
  const tiny = await openModel(openFolder("test/goldens/arch/gpt2"), engine, "gpt2");
  await expect(generate(tiny, { prompt: "" })).rejects.toThrow(/gpt2: has no tokenizer.json/);
});

it("refuses logits that are not finite", async () => {
  const broken: Model = {
    ...model,
    async logits(hidden) {
      const z = await model.logits(hidden);
      z[77] = Number.NaN;
      return z;
    },
  };
  await expect(generate(broken, { prompt: "It was" })).rejects.toThrow(
    "tiny-books: gives token 77 the logit NaN after 0 tokens",
  );
});
