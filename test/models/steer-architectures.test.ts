import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Corpus } from "../../src/corpus/corpus.js";
import type { Model } from "../../src/model/model.js";
import { corpus } from "../../src/node/corpus/corpus-files.js";
import { saveModel } from "../../src/node/save/save-model.js";
import { checkEdit } from "../../src/steering/check/check.js";
import { type PlanOptions, planEdits } from "../../src/steering/plan/edit-plan.js";
import { steer } from "../../src/steering/steer.js";
import { onePerFamily } from "../support/families.js";
import { writtenModels } from "../support/written-models.js";

const goldens = "test/goldens/arch";
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const tokens = 500;
const models = writtenModels();
let folder: string;
let text: Corpus;

/** A token for every letter and the space between words: fewer than the smallest golden's V, enough for a regression. */
const tokenizer = {
  added_tokens: [],
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", vocab: Object.fromEntries(["\u0120", ...letters].map((token, id) => [token, id])), merges: [] },
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unembed-architectures-"));
  const book = readFileSync("assets/corpus/books-heldout.txt", "utf8").slice(0, 2500);
  const file = join(folder, "text.txt");
  writeFileSync(file, book.replace(/[^a-z]+/gi, " "));
  text = corpus(file);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function open(name: string): Promise<Model> {
  const place = join(folder, name);
  cpSync(join(goldens, name), place, { recursive: true });
  writeFileSync(join(place, "tokenizer.json"), JSON.stringify(tokenizer));
  return models.load(place);
}

/** Steers, writes, reads back and measures. @returns what was solved, and the mean probabilities as they are on the disk */
async function steered(model: Model, options: PlanOptions) {
  const plan = await planEdits(model, { e: 0.5, t: "x1.5", "/^[qx]$/": "+1" }, options);
  const contextLength = Math.min(32, model.maxPositions ?? 32);
  // Of random weights nothing is safe, and nobody minds.
  const probing = { probes: 20, allowUnsafe: true };
  const { solution, change } = await steer(model, plan, { corpus: text, tokens, contextLength, ...probing });
  const out = `${model.name}-${options.method}${options.exact ? "-exact" : ""}`;
  await saveModel(model, change, out);
  const subject = { original: model, edited: await models.load(out), groups: solution.groups };
  const { fit } = await checkEdit(subject, { fit: text }, { tokens, contextLength });
  return { solution, fit: fit! };
}

/** @param within how near a target is where nothing is said of it */
function expectReached({ solution, fit }: Awaited<ReturnType<typeof steered>>, within: number): void {
  for (const [g, { probability, shortfall }] of solution.groups.entries()) {
    const measured = fit.groups[g]!.after;
    // The logits of the check are float32.
    expect(Math.abs(Math.log(measured / probability.after))).toBeLessThan(5e-7);
    const missed = Math.abs(Math.log(probability.after / probability.wanted));
    if (shortfall === undefined) expect(missed).toBeLessThan(within);
    else expect(missed).toBeGreaterThan(1e-3);
  }
  expect(fit.collateral.klOthers.max).toBeLessThan(1e-6);
}

test.each(onePerFamily())("%s is steered to its targets, as they lie on the disk", async (name) => {
  const model = await open(name);
  const result = await steered(model, { method: "nearest" });
  expect(result.solution.groups.map(({ shortfall }) => shortfall)).toEqual([undefined, undefined, undefined]);
  expectReached(result, 1e-6);
});

// Tied; with an output bias; with a soft cap; in shards and bfloat16.
const kinds = ["gpt2", "gptj", "gemma2_tight_caps", "llama_sharded_bf16"];
const methods: PlanOptions[] = [
  { method: "constant" },
  { method: "encoding" },
  { method: "salient", salient: 4 },
  { method: "mean" },
];
test.each(kinds)(
  "%s is steered by every method as far as that one reaches, and says where it does not",
  async (name) => {
    const model = await open(name);
    const exact: PlanOptions[] =
      model.description.finalNorm?.kind === "layer" && model.description.finalNorm.bias
        ? [{ method: "constant", exact: true }]
        : [];
    for (const options of [...methods, ...exact]) expectReached(await steered(model, options), 1e-3);
  },
);
