import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { writeIdFile } from "../../../test/support/id-file.js";
import { compare } from "../../compare/compare.js";
import { storeText } from "../../model/contexts/store-text.js";
import type { Model } from "../../model/model.js";
import { turnsWithin } from "../../model/pass/memory-limit.js";
import { memoryNeeds } from "../../model/pass/memory-needs.js";
import { memoryPlace } from "../../model/pass/state-place.js";
import { corpus } from "../corpus/corpus-files.js";
import { loadModel, type MemoryOptions } from "../load-model.js";
import { resumableAnalysis } from "./resumable-analysis.js";

const golden = "test/goldens/arch/llama_gqa";
const asked = { command: "unembed analyze", arguments: {} };

let folder: string;
let ids: string;
let whole: Model;
/** Enough for one of the two layers. */
let oneLayer: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-turns-"));
  vi.stubEnv("TMPDIR", await mkdtemp(join(folder, "temporary-")));
  ids = join(folder, "ids.npy");
  whole = await loadModel(golden, { threads: 1 });
  await writeIdFile(ids, 1500, whole.vocabSize);
  const { layers, working } = memoryNeeds(whole.description);
  oneLayer = Math.max(...layers) + working(64);
});
afterAll(async () => {
  await whole.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function inTurns<Result>(options: MemoryOptions, use: (model: Model, notices: string[]) => Promise<Result>) {
  const notices: string[] = [];
  const onNotice = (message: string) => notices.push(message);
  const model = await loadModel(golden, { threads: 1, maxMemory: oneLayer, onNotice, ...options });
  try {
    return await use(model, notices);
  } finally {
    await model.close();
  }
}

/** Of ours: the engine has some of its own. */
const temporaryFiles = async () => (await readdir(tmpdir())).filter((name) => name.includes("unembed"));

test("an interrupted analysis goes on behind the layers that all windows had gone through", async () => {
  const out = join(folder, "run");
  const interrupt = new AbortController();
  const stopped = inTurns({ onLayers: ({ first }) => first === 1 && interrupt.abort(new Error("stop")) }, (model) =>
    resumableAnalysis(model, corpus(ids), out, { asked, signal: interrupt.signal }),
  );
  await expect(stopped).rejects.toThrow("stop");
  expect(await readdir(join(out, "unfinished"))).toEqual(["layers-1.safetensors"]);
  const parts: number[] = [];
  const found = await inTurns({ onLayers: ({ first }) => parts.push(first) }, async (model, notices) => {
    const analysis = await resumableAnalysis(model, corpus(ids), out, { asked });
    expect(notices.join("\n")).toMatch(
      /going on behind layer 1 of 2.*\n1 of 2 layers at a time; .* in the run's folder/,
    );
    return analysis;
  });
  expect(new Set(parts)).toEqual(new Set([1]));
  const inOnePiece = await resumableAnalysis(whole, corpus(ids), join(folder, "whole"), { asked });
  expect(found.encoding.r2).toBeCloseTo(inOnePiece.encoding.r2, 6);
  expect(found.statistics.contexts).toBe(1500);
  expect(existsSync(join(out, "unfinished"))).toBe(false);
  expect(await temporaryFiles()).toEqual([]);
});

test("texts are stored and models compared in turns as in one piece, and nothing stays behind", async () => {
  const text = corpus(ids);
  const wanted = await storeText(whole, text);
  await inTurns({ hiddenType: "float16" }, async (model, notices) => {
    const stored = await storeText(model, text);
    const [found, exact] = [await stored.read(0, 1500), await wanted.read(0, 1500)];
    const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const error = found.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!)), 0) / largest;
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(2e-3);
    expect(notices.at(-1)).toMatch(
      /^float16 between layers changed hidden states by \d\.\de-\d of the largest at most/,
    );
    const comparison = await compare(whole, model, text, { tokens: 500 });
    expect(comparison.corpus.contexts).toBe(500);
    expect(comparison.kl.mean).toBeLessThan(1e-4);
  });
  expect(await temporaryFiles()).toEqual([]);
});

test("what is too little is said before the work, with what is needed", async () => {
  await expect(loadModel(golden, { maxMemory: oneLayer - 1 })).rejects.toThrow(
    /llama_gqa: needs .* of memory for one layer at a time, and .* are allowed: raise --max-memory/,
  );
  const { name, modelType, description } = whole;
  const limit = { bytes: oneLayer, place: memoryPlace() };
  expect(() => turnsWithin({ name, modelType, description: { ...description, numLayers: undefined } }, limit)).toThrow(
    "layers of llama cannot take turns",
  );
  await inTurns({}, async (model) => {
    const place = { ...memoryPlace(), room: async () => 1000 };
    await expect(model.pass(windows(), { place })).rejects.toThrow(
      "needs 9.3 kB for hidden states in memory, which has room for 1 kB",
    );
  });
});

async function* windows() {
  yield Int32Array.from({ length: 36 }, (_, i) => i);
}
