import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storeText } from "../../model/contexts/store-text.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Model } from "../../model/model.js";
import { corpus } from "../../node/corpus/corpus-files.js";
import { openFileSource } from "../../node/files/file-source.js";
import { loadModel } from "../../node/load-model.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { firstContexts } from "../trials/experiments.js";
import { solveEdits } from "./solve-edits.js";

interface Edit {
  id: number;
  scale: number;
  meanProbability: number;
  bias: number;
  klToIdeal: number;
  norm: number;
  fit: number;
}
const golden: { edits: Edit[] } = JSON.parse(readFileSync("test/goldens/tiny-books/nearest.json", "utf8"));

let model: Model;
let contexts: StoredContexts;
let first: StoredContexts;
beforeAll(async () => {
  model = await loadModel(undefined, { threads: 1 });
  contexts = await contextsOf("text.txt");
  first = firstContexts(contexts, 2048);
}, 60_000);
afterAll(async () => {
  await contexts.release();
  await model.close();
});

const contextsOf = async (file: string) =>
  storeText(model, await corpus([`test/goldens/tiny-books/${file}`]), { contextLength: 256 });

const subject = () => ({ head: model.head, engine: model.engine, contexts });
/** The text's first windows, for what holds on any text. */
const beginning = () => ({ ...subject(), contexts: first });

test.each(golden.edits)(
  "token $id times $scale: the bias and the edit are numpy's",
  async (edit) => {
    const groups = [{ tokens: [edit.id], target: { scale: edit.scale } }];
    const { groups: solved } = await solveEdits(subject(), groups, { calibrate: false });
    const { probability, idealBias, norms, klToIdeal } = solved[0]!;
    expect(probability.before / edit.meanProbability).toBeCloseTo(1, 6);
    expect(idealBias / edit.bias).toBeCloseTo(1, 5);
    // The rows are as rounded to float16, numpy's are not.
    expect(norms[0]! / edit.norm).toBeCloseTo(1, 2);
    expect(probability.after / probability.before / edit.fit).toBeCloseTo(1, 2);
    expect(Math.abs(klToIdeal / edit.klToIdeal - 1)).toBeLessThan(0.02);
  },
  120_000,
);

interface GuardedEdit extends Pick<Edit, "id" | "scale" | "klToIdeal" | "norm" | "fit"> {}
const guarded: { edits: GuardedEdit[] } = JSON.parse(
  readFileSync("test/goldens/tiny-books/nearest-guarded.json", "utf8"),
);

test("guarded by the contexts of another text, the edits are PyTorch's", async () => {
  const guard = await contextsOf("check.txt");
  for (const { id, scale, norm, fit, klToIdeal } of guarded.edits) {
    const groups = [{ tokens: [id], target: { scale } }];
    const solved = (await solveEdits(subject(), groups, { calibrate: false, guardOf: async () => guard })).groups[0]!;
    // The rows are as rounded to float16, PyTorch's are not.
    expect(Math.abs(solved.norms[0]! / norm - 1)).toBeLessThan(3e-3);
    expect(Math.abs(solved.probability.after / solved.probability.before / fit - 1)).toBeLessThan(3e-3);
    expect(Math.abs(solved.klToIdeal / klToIdeal - 1)).toBeLessThan(0.01);
  }
}, 120_000);

interface DirectionEdit {
  id: number;
  scale: number;
  encoding: { fit: number };
}
const directions: { edits: DirectionEdit[] } = JSON.parse(
  readFileSync("test/goldens/tiny-books/steering.json", "utf8"),
);

const scales = [...new Set(directions.edits.map(({ scale }) => scale))];

test.each(scales)(
  "along the paper's direction, uncalibrated, what is to be times %d is as numpy has it",
  async (scale) => {
    const { tensors } = await readSafetensorsHeader(
      await openFileSource("test/goldens/tiny-books/encoding.safetensors"),
    );
    const slopes = await readTensorFloat64(tensors.get("slopes")!);
    for (const { id, encoding: wanted } of directions.edits.filter((edit) => edit.scale === scale)) {
      const groups = [{ tokens: [id], target: { scale } }];
      const options = { method: "encoding", calibrate: false, slopes } as const;
      const { probability } = (await solveEdits(subject(), groups, options)).groups[0]!;
      // The rows are as rounded to float16, numpy's are not.
      expect(Math.abs(Math.log(probability.after / probability.before / wanted.fit))).toBeLessThan(2e-3);
    }
  },
  120_000,
);

test("a target out of reach leaves the others theirs", async () => {
  const groups = [
    { tokens: [261], target: { scale: 0.5 } },
    { tokens: [262], target: { scale: 1e-9 } },
    { tokens: [263], target: { scale: 3 } },
  ];
  const { groups: solved } = await solveEdits(beginning(), groups);
  const misses = solved.map(({ probability: { after, wanted } }) => Math.abs(Math.log(after / wanted)));
  expect(misses[1]).toBeGreaterThan(0.1);
  expect(solved[1]!.shortfall).toMatch(/no length of the edit comes nearer/);
  expect(Math.max(misses[0]!, misses[2]!)).toBeLessThan(1e-5);
}, 120_000);

test("calibrated and rounded, every target of a joint edit holds", async () => {
  const groups = [
    { tokens: [450, 405], target: { scale: 0.25 } },
    { tokens: [262], target: { logOdds: 0.5 } },
  ];
  const { groups: solved, rows } = await solveEdits(beginning(), groups);
  expect([...rows.ids]).toEqual([262, 405, 450]);
  for (const { probability } of solved) {
    expect(Math.abs(Math.log(probability.after / probability.wanted))).toBeLessThan(1e-5);
  }
}, 120_000);

test("contradictions and impossible targets are refused", async () => {
  const one = (target: { scale: number } | { probability: number }) =>
    solveEdits(beginning(), [{ tokens: [450], target }]);
  await expect(one({ scale: 0 })).rejects.toThrow(/not a number above 0/);
  await expect(one({ scale: 1e9 })).rejects.toThrow(/add up to/);
  await expect(one({ probability: Number.NaN })).rejects.toThrow(/between 0 and 1/);
  await expect(solveEdits(beginning(), [{ tokens: [8192], target: { scale: 2 } }])).rejects.toThrow(/outside/);
});
