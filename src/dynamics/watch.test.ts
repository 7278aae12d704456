import { expect, test } from "vitest";
import { openFolder } from "../node/files/file-source.js";
import { bytesSource } from "../tensor/byte-source.js";
import { openCheckpointTensors } from "../tensor/checkpoint-tensors.js";
import { readSafetensorsHeader } from "../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../tensor/safetensors/write-safetensors.js";
import type { Probe } from "./dynamics.js";
import { type Checkpoint, findOutputEmbedding } from "./inputs/checkpoint.js";
import { countFrequencies } from "./inputs/frequencies.js";
import { summarizeDynamics } from "./summary.js";
import { type DynamicsProgress, dynamics } from "./watch.js";

const rows = 300;
const columns = 4;

/** An embedding whose first column comes to say the frequency. */
function checkpoint(
  step: number,
  learnt: number,
  change: { rows?: number; columns?: number; poison?: boolean } = {},
): Checkpoint {
  const [r, c] = [change.rows ?? rows, change.columns ?? columns];
  const data = Float32Array.from({ length: r * c }, (_, i) => Math.sin(i * i + step));
  for (let w = 0; w < r; w++) data[w * c] = learnt * Math.log(w + 1) + (1 - learnt) * data[w * c]!;
  if (change.poison) data[9] = Number.POSITIVE_INFINITY;
  const name = `run/step${step}`;
  const bytes = writeSafetensors([{ name: "lm_head.weight", dtype: "F32", shape: [r, c], data }]);
  const tensors = async () => (await readSafetensorsHeader(bytesSource(name, bytes))).tensors;
  return { name, step, tensors, outputEmbedding: async () => findOutputEmbedding(name, await tensors()) };
}

const counts = Float64Array.from({ length: rows }, (_, w) => Math.floor(1e6 / (w + 1)));
const options = {
  frequencies: (vocabSize: number) => countFrequencies({ counts, source: "counts", vocabSize, seenOnly: false }),
};
const run = [checkpoint(10, 0.5), checkpoint(0, 0), checkpoint(1, 0), checkpoint(100, 1)];

test("watches the frequencies enter, in the order of the steps", async () => {
  const seen: DynamicsProgress[] = [];
  const result = await dynamics(run, { ...options, convergence: true, onProgress: (progress) => seen.push(progress) });
  expect(result.model).toEqual({
    name: "run",
    tensor: "lm_head.weight",
    vocabSize: rows,
    hiddenSize: columns,
    dtype: "F32",
  });
  expect(result.probes.map(({ step }) => step)).toEqual([0, 1, 10, 100]);
  const r2 = result.probes.map(({ crossValidatedR2 }) => crossValidatedR2);
  expect(r2[0]).toBeLessThan(0.1);
  expect(r2[3]).toBeGreaterThan(0.999);
  expect(result.onset.shares[50].encoding.step).toBe(10);
  expect(result.slopeCosines[3]).toBeCloseTo(1, 12);
  expect(result.randomEmbedding).toMatchObject({ source: "initial checkpoint", r2: result.probes[0]!.r2 });
  expect(result.convergence!.parts.map(({ name }) => name)).toEqual(["head"]);
  expect(seen.filter(({ probe }) => probe).map(({ done }) => done)).toEqual([1, 2, 3, 4]);
  expect(result.learnt.early.concat(result.learnt.late).every(({ halfStep }) => halfStep > 1)).toBe(true);
  const summary = summarizeDynamics(result);
  expect(JSON.parse(JSON.stringify(summary)).checkpoints[3]).toMatchObject({ step: 100, spearman: 1, rank: columns });
});

test("gives the same numbers for the same seed, other shuffles for another", async () => {
  const [one, same, other] = await Promise.all(
    [0, 0, 1].map(async (seed) => summarizeDynamics(await dynamics(run, { ...options, seed }))),
  );
  expect(same).toEqual(one);
  expect(other!.checkpoints[1]!.shuffled).not.toEqual(one!.checkpoints[1]!.shuffled);
  expect(other!.checkpoints[1]!.r2).toBe(one!.checkpoints[1]!.r2);
});

test("without the first step, chance is what random numbers give", async () => {
  const { randomEmbedding } = await dynamics([run[0]!, run[3]!], options);
  expect(randomEmbedding.source).toBe("seeded normal numbers");
  expect(randomEmbedding.r2).toBeLessThan(0.1);
});

test("marks a checkpoint that is not finite and goes on", async () => {
  const notices: string[] = [];
  const result = await dynamics([...run, checkpoint(50, 0.7, { poison: true })], {
    ...options,
    convergence: true,
    onNotice: (line) => notices.push(line),
  });
  expect(result.probes.map(({ step }) => step)).toEqual([0, 1, 10, 100]);
  expect(result.convergence!.steps).toEqual([0, 1, 10, 100]);
  const problem = 'tensor "lm_head.weight" holds Infinity in row 2 (token id), column 1';
  expect(result.unusable).toEqual([{ name: "run/step50", step: 50, problem }]);
  expect(notices).toEqual([`run/step50: ${problem}; it is left out`]);
});

test.each([
  ["another vocabulary", { rows: rows + 1 }, /is 301 x 4, and 300 x 4 in run\/step0: another vocabulary/],
  ["another width", { columns: 5 }, /^run\/step5: its output embedding is 300 x 5, .*: another width/],
])("refuses a checkpoint of %s", async (_name, change, message) => {
  await expect(dynamics([...run, checkpoint(5, 0.2, change)], options)).rejects.toThrow(message);
});

test("refuses fewer than two checkpoints that can be used", async () => {
  await expect(dynamics([run[0]!], options)).rejects.toThrow(/needs at least two/);
  await expect(dynamics([run[0]!, checkpoint(50, 1, { poison: true })], options)).rejects.toThrow(
    /^checkpoints: fewer than two can be used \(run\/step50: tensor/,
  );
});

test("an aborted run stops, and what it had probed is used the next time", async () => {
  const kept = new Map<number, Probe>();
  const controller = new AbortController();
  const memory = {
    load: async ({ step }: Checkpoint) => kept.get(step),
    save: async (probe: Probe) => {
      kept.set(probe.step, probe);
      if (kept.size === 2) controller.abort(new Error("enough"));
    },
  };
  await expect(dynamics(run, { ...options, kept: memory, signal: controller.signal })).rejects.toThrow("enough");
  expect([...kept.keys()]).toEqual([0, 1]);
  const before = new Set(kept.values());
  const result = await dynamics(run, { ...options, kept: { ...memory, save: async () => {} } });
  expect(result.probes.filter((probe) => before.has(probe)).map(({ step }) => step)).toEqual([0, 1]);
});

test("finds nothing in a real run for frequencies that have nothing to do with it", async () => {
  const steps = [0, 16, 32, 64, 5000];
  const checkpoints = steps.map((step): Checkpoint => {
    const folder = openFolder(`assets/tiny-books-neox/steps/step${step}`);
    const tensors = () => openCheckpointTensors(folder);
    return {
      name: folder.name,
      step,
      tensors,
      outputEmbedding: async () => findOutputEmbedding(folder.name, await tensors()),
    };
  });
  const flat = new Float64Array(4096).fill(1).map((_, id) => 1 + (id % 7));
  const result = await dynamics(checkpoints, {
    frequencies: (vocabSize) => countFrequencies({ counts: flat, source: "made up", vocabSize, seenOnly: false }),
  });
  expect(result.model.name).toBe("assets/tiny-books-neox");
  // Frequencies that have nothing to do with the training are not found.
  expect(result.onset.finalR2).toBeLessThan(0);
  expect(result.onset.shares[50].encoding.step).toBeNull();
});
