import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { idText } from "../../test/support/id-text.js";
import { type HiddenStates, openHiddenStates } from "../corpus/hidden-states.js";
import { seededRandom } from "../linalg/random.js";
import type { Model } from "../model/model.js";
import { openFileSource } from "../node/files/file-source.js";
import { loadHead, loadModel } from "../node/load-model.js";
import type { CollectedSums } from "../statistics/collected-sums.js";
import { type HeadStatistics, meanProbability, merge } from "../statistics/head-statistics.js";
import { encodeStatistics } from "../statistics/statistics-file.js";
import { bytesSource } from "../tensor/byte-source.js";
import { writeNpy } from "../tensor/npy.js";
import { writeSafetensors } from "../tensor/safetensors/write-safetensors.js";
import { analyze, analyzeHidden } from "./analyze.js";
import { collectHidden, collectText } from "./collect-text.js";
import { readEncoding } from "./read-encoding.js";

/** V = 160, d = 24. */
const small = "test/goldens/arch/gpt2";

let folder: string;
let model: Model;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-analyze-"));
  model = await loadModel(small, { threads: 2 });
});
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

const random = seededRandom(3);
/** Some tokens more often than others. */
const text = idText(Int32Array.from({ length: 3000 }, () => Math.floor(160 * random() ** 2)));

/** All sums as bytes: compared at once, where hundreds of thousands of numbers would be compared one by one. */
function bitsOf(statistics: HeadStatistics): Buffer {
  return Buffer.from(encodeStatistics(statistics, {}));
}

function worstRatio(a: Float64Array, b: Float64Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value / b[i]! - 1)), 0);
}

test("hidden states from a file give what the text that they came from gives", async () => {
  const length = 50;
  const ids = Int32Array.from({ length: 1000 }, (_, t) => (t * t) % 160);
  const fromText = await analyze(model, idText(ids), { contextLength: length });
  const hidden = await model.hiddenStates({ count: 20, length, tokenIds: ids });
  const d = model.hiddenSize;
  const files = {
    "states.npy": writeNpy({ dtype: "F32", shape: [1000, d], data: hidden }),
    "states.safetensors": writeSafetensors([{ name: "hidden", dtype: "F32", shape: [20, length, d], data: hidden }]),
  };
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(folder, name), bytes);
    const states = await openHiddenStates(await openFileSource(join(folder, name)), d);
    const head = await loadHead(small, { threads: 2 });
    const fromStates = await analyzeHidden(head, states);
    await head.close();
    const [ours, theirs] = [fromStates, fromText].map(({ statistics }) => meanProbability(statistics));
    expect(worstRatio(ours!, theirs!)).toBeLessThan(1e-6);
    expect(fromStates.encoding.r2).toBeCloseTo(fromText.encoding.r2, 8);
    expect(fromStates.corpus).toMatchObject({ contexts: 1000, contextLength: undefined });
    expect(fromStates.tokens).toEqual(fromText.tokens);
  }
});

test("the head of an architecture that is not known is found, or named", async () => {
  const { cp, readFile } = await import("node:fs/promises");
  const copy = join(folder, "unknown");
  await cp(small, copy, { recursive: true });
  const config = JSON.parse(await readFile(join(copy, "config.json"), "utf8"));
  await writeFile(join(copy, "config.json"), JSON.stringify({ ...config, model_type: "mamba9" }));
  for (const tensorName of [undefined, "transformer.wte.weight"]) {
    const head = await loadHead(copy, { tensorName });
    expect([head.vocabSize, head.hiddenSize, head.modelType]).toEqual([160, 24, "mamba9"]);
    await head.close();
  }
  await expect(loadHead(copy, { tensorName: "lm_head.weight" })).rejects.toMatchObject({
    problem: "no output embedding is found under lm_head.weight",
    remedy: "tensorName",
  });
});

test.each<[string, Uint8Array, RegExp]>([
  ["another width", writeNpy({ dtype: "F32", shape: [4, 3], data: new Float32Array(12) }), /F32 \[4, 3\].*\[n, 256\]/],
  ["whole numbers", writeNpy({ dtype: "I32", shape: [4, 256], data: new Int32Array(1024) }), /I32 \[4, 256\]/],
  ["one row", writeNpy({ dtype: "F32", shape: [1, 256], data: new Float32Array(256) }), /has 1 hidden states/],
  [
    "a truncated file",
    writeNpy({ dtype: "F32", shape: [4, 256], data: new Float32Array(1024) }).subarray(0, 900),
    /states\.npy: /,
  ],
])("hidden states of %s are refused", async (_name, bytes, message) => {
  await expect(openHiddenStates(bytesSource("states.npy", bytes), 256)).rejects.toThrow(message);
});

test("a hidden state that is not finite is named", async () => {
  const data = new Float32Array(300 * 24);
  data[299 * 24 + 7] = Number.NaN;
  const states = await openHiddenStates(bytesSource("s.npy", writeNpy({ dtype: "F32", shape: [300, 24], data })), 24);
  await expect(analyzeHidden(model, states)).rejects.toThrow("s.npy: row 299 holds NaN at dimension 7");
});

test("a pass goes on from the sums that another one had reached, in the midst of a block of windows too", async () => {
  const options = { tokens: 2100, contextLength: 16 };
  const whole = await collectText(model, text, options);
  expect(whole.statistics.windows).toBe(132);
  for (const enough of [20, 70]) {
    const stop = new AbortController();
    const reached: CollectedSums[] = [];
    const interrupted = collectText(model, text, {
      ...options,
      signal: stop.signal,
      onProgress: ({ sums }) => {
        reached[0] = sums;
        if (sums.nextWindow >= enough) stop.abort(new Error("stopped"));
      },
    });
    await expect(interrupted).rejects.toThrow("stopped");
    expect(reached[0]!.nextWindow).toBeLessThan(132);
    expect(reached[0]!.block.windows).toBeGreaterThan(0);
    const resumed = await collectText(model, text, { ...options, resume: reached[0] });
    expect(bitsOf(resumed.statistics).equals(bitsOf(whole.statistics))).toBe(true);
  }
});

test("an analysis that goes on gives the numbers of one that was not interrupted", async () => {
  const options = { tokens: 600, contextLength: 16 };
  const whole = await analyze(model, text, options);
  const reached: CollectedSums[] = [];
  const stop = new AbortController();
  const interrupted = analyze(model, text, {
    ...options,
    signal: stop.signal,
    onProgress: ({ sums }) => {
      reached[0] = sums;
      stop.abort(new Error("stopped"));
    },
  });
  await expect(interrupted).rejects.toThrow("stopped");
  const resumed = await analyze(model, text, { ...options, resume: reached[0] });
  expect(resumed.encoding).toEqual(whole.encoding);
  expect(resumed.corpus).toEqual(whole.corpus);
});

test("parts of a text that were cut at multiples of 64 windows, merged and read off give the bits of the whole", async () => {
  const options = { tokens: 1040, contextLength: 4 };
  const whole = await analyze(model, text, options);
  const alone = await loadModel(small, { threads: 1 });
  const first = await collectText(alone, text, { ...options, endWindow: 192 });
  await alone.close();
  const second = await collectText(model, text, { ...options, firstWindow: 192 });
  const joined = merge(first.statistics, second.statistics);
  const read = await readEncoding(model, { statistics: joined, text: first.text });
  for (const part of ["encoding", "theory", "concentration", "sparsity", "corpus"] as const) {
    expect(read[part]).toEqual(whole[part]);
  }
  // What float64 could not hold is itself rounded, at the 32nd digit.
  const { rest: _, ...sums } = joined;
  const { rest: __, ...wanted } = whole.statistics;
  expect(bitsOf(sums).equals(bitsOf(wanted))).toBe(true);
});

test("rows of hidden states are summed by windows of 256, whatever blocks they come in", async () => {
  const ids = Int32Array.from({ length: 640 }, (_, t) => (37 * t) % 160);
  const hidden = await model.hiddenStates({ count: 10, length: 64, tokenIds: ids });
  const inBlocks = (contexts: number): HiddenStates => ({
    file: { name: "states", bytes: 0 },
    contexts: 640,
    async *blocks() {
      const size = contexts * model.hiddenSize;
      for (let start = 0; start < hidden.length; start += size) yield hidden.slice(start, start + size);
    },
  });
  const { statistics } = await collectHidden(model, inBlocks(640));
  expect([statistics.windows, statistics.contexts]).toEqual([3, 640]);
  expect(Array.from(statistics.groups.contexts.subarray(0, 4))).toEqual([256, 256, 128, 0]);
  expect(bitsOf((await collectHidden(model, inBlocks(100))).statistics).equals(bitsOf(statistics))).toBe(true);
});

test("mean probabilities add up to 1", async () => {
  const { statistics } = await analyze(model, text, { tokens: 2000, contextLength: 50 });
  const sum = meanProbability(statistics).reduce((total, value) => total + value, 0);
  expect(Math.abs(sum - 1)).toBeLessThan(1e-13);
  const { contexts, sumProbability } = statistics.groups;
  for (let group = 0; group < 16; group++) {
    const ofGroup = sumProbability.subarray(group * 160, (group + 1) * 160);
    expect(ofGroup.reduce((total, value) => total + value, 0)).toBeCloseTo(contexts[group]!, 9);
  }
});

test("windows can start with the begin-of-text token, which counts", async () => {
  const named = await loadModel("tiny-books", { threads: 1 });
  // No other token of this text has the id 0.
  const analysis = await analyze(named, idText(Int32Array.from({ length: 300 }, (_, t) => 1 + t)), {
    ...{ tokens: 200, contextLength: 20, beginOfText: true },
  });
  await named.close();
  expect(analysis.statistics.tokenCounts[0]).toBe(10);
  expect(analysis.corpus).toMatchObject({ contexts: 200, windows: 10, beginOfText: true });
});

test("V < d + 2 makes the regression impossible, which is said before any text is read", async () => {
  const narrow = { ...model, vocabSize: 20 };
  await expect(analyze(narrow, text)).rejects.toThrow("has V = 20 tokens and d = 24");
});
