/**
 * Greedy text of the embedded model and of its two stages with a bound, written as ONNX and run by onnxruntime alone: whether every
 * token is the same, how often all of E is taken, and how many multiplications a token takes in the mean, as against the whole head's:
 *
 *     npx tsx bench/greedy-exact.ts [--keep 60] [--rescore 3000] [--prompts 50] [--length 40] [--fit-tokens 200000] [--threads 2]
 *
 * Exits with 1 if a token is another one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { windowPrompts } from "../src/generation/generated-texts.js";
import { storeText } from "../src/model/contexts/store-text.js";
import { spreadHead } from "../src/model/head/spread-head.js";
import { corpus } from "../src/node/corpus/corpus-files.js";
import { defaultCorpus, embeddedTexts, loadModel } from "../src/node/load-model.js";
import { saveOnnx } from "../src/node/save/save-onnx.js";
import { greedyCost } from "../src/reduction/measure/greedy-cost.js";
import { headMultiplications } from "../src/reduction/measure/multiplications.js";
import { planReduction, reduceHead } from "../src/reduction/plan/reduction-plan.js";
import { type OnnxDecoder, onnxDecoder } from "./onnx-decoder.js";

const { values } = parseArgs({
  options: {
    keep: { type: "string", default: "60" },
    rescore: { type: "string", default: "3000" },
    prompts: { type: "string", default: "50" },
    length: { type: "string", default: "40" },
    "fit-tokens": { type: "string", default: "200000" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const [kept, rescore, promptCount, length, tokens, threads] = [
  ...[values.keep, values.rescore, values.prompts, values.length, values["fit-tokens"], values.threads],
].map(Number) as [number, number, number, number, number, number];
const promptTokens = 16;

const folder = await mkdtemp(join(tmpdir(), "unembed-greedy-"));
const model = await loadModel(undefined, { threads });
try {
  const fit = await storeText(model, corpus(defaultCorpus), { tokens });
  const reduced = reduceHead(model, await planReduction(model, fit, { kept, rescore, greedyExact: true }));
  await fit.release();
  await saveOnnx(model, {}, join(folder, "whole"));
  await saveOnnx(model, reduced, join(folder, "stages"));
  const open = (name: string) =>
    onnxDecoder(join(folder, name, "onnx/model.onnx"), { heads: 4, headDim: model.hiddenSize / 4, threads });
  const [whole, stages] = [await open("whole"), await open("stages")];
  const half = promptCount / 2;
  const prompts = [
    ...(await windowPrompts(model, corpus(embeddedTexts.inDomain), { count: Math.ceil(half), tokens: promptTokens })),
    ...(await windowPrompts(model, corpus(embeddedTexts.outOfDomain), {
      count: Math.floor(half),
      tokens: promptTokens,
    })),
  ];
  let [same, all] = [0, 0];
  const rows: Float32Array[] = [];
  for (const prompt of prompts) {
    const text = await greedyText(whole, prompt);
    const other = await greedyText(stages, prompt);
    all += text.length;
    same += text.filter((id, t) => id === other[t]).length;
    const read = [...prompt, ...text.slice(0, -1)];
    const tokenIds = Int32Array.from(read);
    const hidden = await model.hiddenStates({ count: 1, length: read.length, tokenIds });
    rows.push(hidden.slice((promptTokens - 1) * model.hiddenSize));
  }
  const cost = await greedyCost(model, await spreadHead(model, reduced), contextsOf(rows));
  const { before, after } = headMultiplications(model.head, {
    kept,
    directions: true,
    rows: cost!.rows,
    bounded: true,
  });
  console.log(`${prompts.length} prompts of both unseen texts, ${length} tokens each, ${threads} threads\n`);
  console.log("| | |\n| --- | --- |");
  for (const row of [
    ["kept, at most rescored", `${kept}, ${rescore}`],
    ["tokens that are the original's", `${same} of ${all}`],
    ["all of E taken", `${(100 * cost!.fallback).toFixed(2)}% of the tokens`],
    ["rows of E a token, in the mean", cost!.rows.toFixed(0)],
    ["multiplications of the head", `${((100 * after) / before).toFixed(1)}%`],
  ])
    console.log(`| ${row.join(" | ")} |`);
  if (same < all) process.exitCode = 1;
  await Promise.all([whole.release(), stages.release()]);
} finally {
  await model.close();
  await rm(folder, { recursive: true });
}

/** The likeliest token, again and again. */
async function greedyText(decoder: OnnxDecoder, prompt: readonly number[]): Promise<number[]> {
  const text: number[] = [];
  let [fresh, past, read] = [prompt, decoder.empty(), 0];
  while (text.length < length) {
    const { logits, past: next } = await decoder.step(fresh, past, read);
    const last = logits.subarray(-model.vocabSize);
    let best = 0;
    for (const [id, z] of last.entries()) if (z > last[best]!) best = id;
    text.push(best);
    [read, past, fresh] = [read + fresh.length, next, [best]];
  }
  return text;
}

function contextsOf(parts: readonly Float32Array[]) {
  const d = model.hiddenSize;
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return {
    ...{ count: all.length / d, hiddenSize: d, release: async () => {} },
    read: async (start: number, end: number) => all.slice(start * d, end * d),
  };
}
