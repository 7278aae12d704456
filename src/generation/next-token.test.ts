import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../engine/engine.js";
import { type Model, openModel } from "../model/model.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { openFolder } from "../node/files/file-source.js";
import { nextTokenDistribution } from "./next-token.js";

let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = createEngine({ threads: 1 });
  model = await openModel(openFolder("assets/tiny-books"), engine, "tiny-books");
});
afterAll(() => engine.close());

it("is the softmax of the last position's logits", async () => {
  const { encode, tokenText } = await model.tokenizer();
  const ids = encode("It was a dark and stormy");
  const { logits } = await model.forward(ids, { logits: true });
  const z = Array.from(logits!.subarray(-model.vocabSize));
  const sum = z.reduce((total, value) => total + Math.exp(value), 0);
  const found = await nextTokenDistribution(model, { prompt: "It was a dark and stormy", listed: 4, temperature: 2 });
  expect(found.promptTokens).toBe(ids.length);
  let entropy = 0;
  let worst = 0;
  z.forEach((value, id) => {
    const p = Math.exp(value) / sum;
    entropy -= p * Math.log(p);
    worst = Math.max(worst, Math.abs(found.probabilities[id]! / p - 1));
  });
  expect(worst).toBeLessThan(1e-4);
  expect(found.entropy).toBeCloseTo(entropy, 4);
  expect(found.drawn.reduce((total, p) => total + p, 0)).toBeCloseTo(1, 12);
  const best = z.indexOf(Math.max(...z));
  expect(found.likeliest).toHaveLength(4);
  expect(found.likeliest[0]).toMatchObject({ id: best, token: tokenText(best) });
  // Temperature 2 takes square roots of ratios.
  const [first, second] = [found.likeliest[0]!, found.likeliest[1]!];
  expect((first.drawn / second.drawn) ** 2).toBeCloseTo(first.probability / second.probability, 9);
});

it.each([
  ["an id outside the vocabulary", { prompt: [8192] }, /id 8192 at 0 is outside/],
  ["a prompt too long", { prompt: new Array(257).fill(5) }, /has 257 tokens; tiny-books takes 256/],
  ["no share", { prompt: "a", topP: 2 }, /topP: is 2/],
])("%s is refused", async (_name, options, message) => {
  await expect(nextTokenDistribution(model, options)).rejects.toThrow(message);
});
