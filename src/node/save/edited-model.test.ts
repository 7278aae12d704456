import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { collectStatistics } from "../../statistics/collect.js";
import { meanProbability } from "../../statistics/head-statistics.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { corpus } from "../corpus/corpus-files.js";
import { loadModel } from "../load-model.js";
import { saveModel } from "./save-model.js";

// test/goldens/make-edited.py: PyTorch's numbers for the same edit.
const golden: { tokens: number; meanProbability: Record<string, number> } = JSON.parse(
  readFileSync("test/goldens/edited.json", "utf8"),
);
const row = 262;

test("a model written with an edited row has the mean probabilities that PyTorch gives it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "unembed-edited-"));
  const model = await loadModel(undefined, { threads: 1 });
  try {
    const { vocabSize, hiddenSize: d } = model;
    const embedding = await readTensorFloat64(model.head.weight);
    const values = embedding.slice(row * d, (row + 1) * d).map((value) => value * 0.5 + 1 / 64);
    await saveModel(model, { rows: { ids: Int32Array.of(row), values } }, join(folder, "edited"));
    const edited = await loadModel(join(folder, "edited"), { threads: 1 });
    const text = await corpus(["test/goldens/tiny-books/text.txt"]);
    const ids = tokenIds(text, await edited.tokenizer(), { vocabSize });
    const stream = windows(ids, { contextLength: 256, maxTokens: golden.tokens });
    const statistics = await collectStatistics(edited, stream);
    await edited.close();
    expect(statistics.contexts).toBe(golden.tokens);
    const mean = meanProbability(statistics);
    for (const [id, wanted] of Object.entries(golden.meanProbability)) {
      expect(Math.abs(mean[Number(id)]! / wanted - 1)).toBeLessThan(2e-5);
    }
  } finally {
    await model.close();
    await rm(folder, { recursive: true });
  }
});
