import { readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { editedCopy } from "../../test/support/edited-copy.js";
import { memoryFolder } from "../../test/support/memory-folder.js";
import type { Spread } from "../measures/context-values.js";
import { type Model, openModel } from "../model/model.js";
import { corpus } from "../node/corpus/corpus-files.js";
import { openFolder } from "../node/files/file-source.js";
import { loadModel } from "../node/load-model.js";
import type { Folder } from "../tensor/byte-source.js";
import { openCheckpointTensors } from "../tensor/checkpoint-tensors.js";
import { readTensor } from "../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../tensor/safetensors/write-safetensors.js";
import { compare } from "./compare.js";
import { type Comparison, largestMovers, summarizeComparison } from "./comparison.js";

interface Golden {
  rows: number[];
  contextLength: number;
  tokens: number;
  edits: {
    ulps: number;
    contexts: number;
    kl: Spread;
    reverseKl: Spread;
    js: Spread;
    top1Agreement: number;
    perplexity: { a: number; b: number };
    movers: { id: number; a: number; b: number; scale: number }[];
    firstContexts: { kl: number[]; reverseKl: number[]; js: number[] };
  }[];
}
const golden: Golden = JSON.parse(readFileSync("test/goldens/compare.json", "utf8"));
const text = "test/goldens/tiny-books/check.txt";

let folder: string;
let original: Model;
const opened: Model[] = [];

async function open(name?: string, threads = 2): Promise<Model> {
  const model = await loadModel(name, { threads });
  opened.push(model);
  return model;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-compare-"));
  original = await open();
});
afterAll(async () => {
  await Promise.all(opened.map((model) => model.close()));
  await rm(folder, { recursive: true });
});

const edited = (ulps: number) => editedCopy(join(folder, `edited-${ulps}`), golden.rows, ulps);
const relative = (ours: number, wanted: number) => Math.abs(ours / wanted - 1);

// The edit of one unit in the last place moves distributions by 1e-10 to 7e-6 nats: what float32 models can tell apart.
test.each([
  [1, 0.01, 1e-12],
  [200, 1e-4, 1e-9],
])("an edit of %i units in the last place is what PyTorch in float64 says", async (ulps, tolerance, floor) => {
  const wanted = golden.edits.find((edit) => edit.ulps === ulps)!;
  const { tokens } = golden;
  const comparison = await compare(original, await open(await edited(ulps)), corpus(text), { tokens });
  expect(comparison.corpus).toMatchObject({
    contexts: wanted.contexts,
    contextLength: golden.contextLength,
    windows: 8,
  });
  for (const key of ["kl", "reverseKl", "js"] as const) {
    for (const part of ["mean", "percentile95", "max"] as const) {
      expect(relative(comparison[key][part], wanted[key][part]), `${key} ${part}`).toBeLessThan(tolerance);
    }
    for (const [t, value] of wanted.firstContexts[key].entries()) {
      const ours = comparison.perContext[key][t]!;
      expect(Math.abs(ours - value), `${key} of context ${t}`).toBeLessThan(tolerance * value + floor);
    }
  }
  // A context in which two tokens are equally likely may fall either way.
  expect(Math.abs(comparison.top1Agreement - wanted.top1Agreement)).toBeLessThan(0.0011);
  expect(relative(comparison.perplexity.a, wanted.perplexity.a)).toBeLessThan(1e-6);
  expect(relative(comparison.perplexity.b, wanted.perplexity.b)).toBeLessThan(1e-6);
  expect(comparison.predictedTokens).toBe(2000 - 8);
  const movers = largestMovers(comparison, wanted.movers.length);
  expect(movers.slice(0, 6).map(({ id }) => id)).toEqual(wanted.movers.slice(0, 6).map(({ id }) => id));
  for (const { id, a, b, scale } of wanted.movers) {
    expect(relative(comparison.meanProbability.a[id]!, a)).toBeLessThan(1e-5);
    expect(relative(comparison.meanProbability.b[id]!, b)).toBeLessThan(1e-5);
    expect(Math.abs(comparison.meanProbability.b[id]! / comparison.meanProbability.a[id]! - scale)).toBeLessThan(2e-5);
  }
});

test("a model is no distance from itself", async () => {
  const same = await compare(original, original, corpus(text), { tokens: 600, contextLength: 100 });
  expect(same.kl).toEqual({ mean: 0, percentile95: 0, max: 0 });
  expect(same.js.max).toBeLessThan(1e-13);
  expect(same.top1Agreement).toBe(1);
  expect(same.perplexity.a).toBe(same.perplexity.b);
  expect(largestMovers(same, 1)[0]!.scale).toBe(1);
  expect(same.corpus).toMatchObject({ contexts: 600, windows: 6, contextLength: 100 });
});

test("the number of threads does not change a bit, and progress ends at the whole", async () => {
  const name = await edited(50);
  const options = { tokens: 900, contextLength: 64 };
  const fields = ({ threads, seconds, tokensPerSecond, models, ...rest }: Comparison) => rest;
  let reached = { windows: 0, contexts: 0 };
  const two = await compare(original, await open(name), corpus(text), {
    ...options,
    onProgress: (progress) => {
      reached = progress;
    },
  });
  expect(reached).toEqual({ windows: 15, contexts: 900 });
  const one = await compare(await open(undefined, 1), await open(name, 1), corpus(text), options);
  expect(fields(one)).toEqual(fields(two));
});

test("begin-of-text tokens are contexts too, and windows of one token predict nothing", async () => {
  const begun = await compare(original, original, corpus(text), { tokens: 64, contextLength: 32, beginOfText: true });
  expect(begun.corpus).toMatchObject({ windows: 2, contexts: 64, beginOfText: true });
  const single = await compare(original, original, corpus(text), { tokens: 10, contextLength: 1 });
  expect(single.predictedTokens).toBe(0);
  expect(single.perplexity.a).toBeNaN();
});

test("the summary is plain JSON with the movers", async () => {
  const comparison = await compare(original, original, corpus(text), { tokens: 100 });
  const summary = summarizeComparison(comparison, 3);
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  expect(summary.movers).toHaveLength(3);
});

describe("of matrices padded to different sizes", () => {
  const vocabSize = 268;
  const index = readFileSync("test/goldens/folders/index-lists-absent-tensor/model.safetensors.index.json");
  const shardsOf = (at: string): Folder => ({
    name: at,
    open: async (name) =>
      name.endsWith(".json")
        ? memoryFolder({ "model.safetensors.index.json": index }).open(name)
        : openFolder(at).open(name),
  });
  /** The same model with its matrices padded by rows of these numbers. */
  async function padded(rows: number, value: number, files: readonly string[] = ["tokenizer.json"]): Promise<Model> {
    const at = "test/goldens/folders";
    const whole = await openCheckpointTensors(shardsOf(at));
    const tensors = await Promise.all(
      [...whole.values()].map(async (tensor) => {
        const data = await readTensor(tensor);
        const isPadded = tensor.shape[0] === vocabSize;
        const more = new Float32Array(isPadded ? rows * tensor.shape[1]! : 0).fill(value);
        const shape = isPadded ? [vocabSize + rows, tensor.shape[1]!] : tensor.shape;
        return { name: tensor.name, dtype: "F32" as const, shape, data: Float32Array.of(...data, ...more) };
      }),
    );
    const config = JSON.parse(await readFile(`${at}/index-lists-absent-tensor/config.json`, "utf8"));
    const folder = memoryFolder({
      "config.json": JSON.stringify({ ...config, vocab_size: vocabSize + rows }),
      "model.safetensors": writeSafetensors(tensors),
      ...Object.fromEntries(files.map((name) => [name, readFileSync(`${at}/${name}`)])),
    });
    return openModel(folder, original.engine, `padded by ${rows}`);
  }

  test("the tokenizer's tokens are compared, and nothing else", async () => {
    const models = await Promise.all([padded(0, 0), padded(11, 0), padded(20, 3)]);
    const [exact, zeros, threes] = models as [Model, Model, Model];
    for (const [a, b] of [
      [exact, zeros],
      [zeros, exact],
      [zeros, threes],
    ] as const) {
      const { kl, perplexity, meanProbability, ...found } = await compare(a, b, corpus(text), {
        tokens: 120,
        contextLength: 30,
      });
      expect(found).toMatchObject({ vocabSize, models: { a: { rows: a.vocabSize }, b: { rows: b.vocabSize } } });
      expect(kl.max).toBe(0);
      expect(perplexity.a).toBe(perplexity.b);
      expect(meanProbability.b.length).toBe(vocabSize);
      expect(meanProbability.b.reduce((sum, value) => sum + value)).toBeCloseTo(1, 12);
    }
  });

  test("without a tokenizer nobody knows which rows are padding", async () => {
    const [a, b] = await Promise.all([padded(0, 0, []), padded(11, 0, [])]);
    await expect(compare(a, b, corpus(text))).rejects.toThrow(
      "padded by 11: has 279 rows in E and padded by 0 268, and no tokenizer.json says which of them are padding",
    );
  });
});

test("models of different vocabularies are refused, with the difference", async () => {
  const small = await open("test/goldens/arch/gpt2");
  await expect(compare(original, small, corpus(text))).rejects.toThrow(
    /arch\/gpt2: has 160 rows in E and tiny-books 8192, fewer than the 8192 tokens of their tokenizer; only models of/,
  );
  const renamed = join(folder, "renamed");
  await cp("assets/tiny-books", renamed, { recursive: true });
  const file = join(renamed, "tokenizer.json");
  const tokenizer = JSON.parse(await readFile(file, "utf8"));
  const { vocab } = tokenizer.model;
  [vocab.Ġdog, vocab.Ġcat] = [vocab.Ġcat, vocab.Ġdog];
  await writeFile(file, JSON.stringify(tokenizer));
  await expect(compare(original, await open(renamed), corpus(text))).rejects.toThrow(
    /renamed: its token \d+ is " (dog|cat)" and that of tiny-books " (dog|cat)"; only models/,
  );
});

test("a context longer than either model's is refused, and an abort stops with its reason", async () => {
  await expect(compare(original, original, corpus(text), { contextLength: 300 })).rejects.toThrow(
    "tiny-books: has 256 positions; a context of 300 tokens is too long",
  );
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  await expect(
    compare(original, original, corpus(text), { contextLength: 64, onProgress, signal: controller.signal }),
  ).rejects.toThrow("enough");
});
