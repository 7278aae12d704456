import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { regress } from "../../encoding/regression/regression.js";
import { symmetricEigenvalues } from "../../linalg/eigen/symmetric-eigen.js";
import { gram } from "../../linalg/gram.js";
import { seededRandom } from "../../linalg/random.js";
import { openFileSource, openFolder } from "../../node/files/file-source.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { readSafetensorsHeader } from "../../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import type { Probe } from "../dynamics.js";
import { findOutputEmbedding } from "../inputs/checkpoint.js";
import { countFrequencies } from "../inputs/frequencies.js";
import { readTokenCounts } from "../inputs/token-counts.js";
import { leadingVarianceShares } from "./leading-variances.js";
import { type ProbeTarget, probeCheckpoint, probeTarget } from "./probe.js";
import { probeRegression } from "./probe-regression.js";

interface Golden {
  probe: {
    step: number;
    r2: number;
    adjustedR2: number;
    crossValidatedR2: number;
    spearman: number;
    intercept: number;
    slopeNorm: number;
  }[];
}

const series = "assets/tiny-books-neox";
let golden: Golden;
let target: ProbeTarget;
beforeAll(async () => {
  golden = JSON.parse(await readFile("test/goldens/dynamics/dynamics.json", "utf8"));
  const counts = await readTokenCounts(await openFileSource(`${series}/token-counts.npy`));
  target = probeTarget(countFrequencies({ counts, source: "counts", vocabSize: 4096, seenOnly: false }), 0);
});

async function embedding(step: number) {
  const folder = openFolder(`${series}/steps/step${step}`);
  return findOutputEmbedding(folder.name, await openCheckpointTensors(folder));
}

describe("probeCheckpoint", () => {
  test("agrees with numpy at every step of a real training run", async () => {
    for (const wanted of golden.probe) {
      const { step } = wanted;
      const probe = (await probeCheckpoint({ name: "", step }, await embedding(step), target, gram)) as Probe;
      const found = { ...probe, slopeNorm: Math.hypot(...probe.slopes) };
      for (const key of ["r2", "adjustedR2", "crossValidatedR2", "spearman", "intercept", "slopeNorm"] as const) {
        expect(Math.abs(found[key] / wanted[key] - 1), `${key} at step ${step}`).toBeLessThan(1e-9);
      }
      expect(found.rank).toBe(128);
      // By chance, d of V - 1 dimensions of variance are explained, and none of them out of the sample.
      expect(Math.abs(found.shuffled.r2 - 128 / 4095)).toBeLessThan(0.01);
      expect(found.shuffled.crossValidatedR2).toBeLessThan(0);
    }
    expect(golden.probe).toHaveLength(16);
  });

  test("adds held-out errors up over groups of tokens, all of them once", async () => {
    const probe = (await probeCheckpoint({ name: "", step: 64 }, await embedding(64), target, gram)) as Probe;
    const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
    expect(probe.groups.total).toHaveLength(1000);
    expect(1 - sum(probe.groups.heldOut) / sum(probe.groups.total)).toBeCloseTo(probe.crossValidatedR2, 12);
  });

  test("says where a weight is not finite instead of regressing on it", async () => {
    const data = new Float32Array(4096 * 2).fill(1);
    data[2 * 77 + 1] = Number.NaN;
    const bytes = writeSafetensors([{ name: "lm_head.weight", dtype: "F32", shape: [4096, 2], data }]);
    const { tensors } = await readSafetensorsHeader(bytesSource("memory", bytes));
    expect(await probeCheckpoint({ name: "", step: 1 }, tensors.get("lm_head.weight")!, target, gram)).toEqual({
      problem: 'tensor "lm_head.weight" holds NaN in row 77 (token id), column 1',
    });
  });

  test("names the checkpoint whose embedding is the same in all rows", async () => {
    const data = new Float32Array(4096 * 2).fill(1);
    const bytes = writeSafetensors([{ name: "lm_head.weight", dtype: "F32", shape: [4096, 2], data }]);
    const { tensors } = await readSafetensorsHeader(bytesSource("memory", bytes));
    await expect(
      probeCheckpoint({ name: "step7", step: 7 }, tensors.get("lm_head.weight")!, target, gram),
    ).rejects.toThrow(/^step7: all rows are the same/);
  });
});

/** Rows of noise, some columns much larger than others, and a response that depends on them. */
function noisyRows(rows: number, columns: number, change: (data: Float32Array) => void = () => {}) {
  const random = seededRandom(5);
  const data = Float32Array.from({ length: rows * columns }, (_, i) => (random() - 0.4) * (1 + (i % columns)));
  change(data);
  const response = Float64Array.from(
    { length: rows },
    (_, w) => 8 + data[w * columns]! - 0.1 * data[w * columns + 2]! + random(),
  );
  const tokenIds = Int32Array.from({ length: rows }, (_, id) => id);
  return { embedding: { rows, columns, data }, tokenIds, responses: [response, response.toReversed()] };
}

describe("probeRegression", () => {
  const cases: Record<string, ReturnType<typeof noisyRows>> = {
    "many rows": noisyRows(3000, 24),
    "hardly more rows than columns": noisyRows(60, 40),
    "a column that is another one twice": noisyRows(500, 8, (data) => {
      for (let at = 0; at < data.length; at += 8) data[at + 5] = 2 * data[at + 3]!;
    }),
    "a constant column": noisyRows(500, 8, (data) => {
      for (let at = 0; at < data.length; at += 8) data[at + 6] = 3;
    }),
    "a column that varies in one fold only": noisyRows(500, 8, (data) => {
      for (let at = 0; at < data.length; at += 8) data[at + 4] = (at / 8) % 10 === 3 ? data[at + 4]! : 0;
    }),
  };

  test.each(Object.entries(cases))("with %s, gives what the encoding's own regression gives", async (_name, rows) => {
    const ours = await probeRegression(rows, gram);
    const theirs = await regress(rows, gram);
    for (const [r, fit] of ours.fits.entries()) {
      const wanted = theirs.fits[r]!;
      expect(fit.r2).toBeCloseTo(wanted.r2, 10);
      expect(fit.adjustedR2).toBeCloseTo(wanted.adjustedR2, 10);
      expect(Math.abs(fit.crossValidatedR2 / wanted.crossValidatedR2 - 1)).toBeLessThan(1e-8);
      expect(fit.spearman).toBeCloseTo(wanted.spearman, 12);
      expect(fit.intercept).toBeCloseTo(wanted.intercept, 8);
      for (const [i, slope] of fit.slopes.entries()) expect(slope).toBeCloseTo(wanted.slopes[i]!, 8);
    }
  });

  test("hands over blocks of exactly the rows that it says", async () => {
    // 700 columns make blocks of 2,987 rows, which a fold of 3,100 does not fill a second time.
    const data = new Float32Array(31_000 * 700);
    for (let i = 0; i < data.length; i++) data[i] = i % 11;
    const response = Float64Array.from({ length: 31_000 }, (_, w) => w % 7);
    const tokenIds = Int32Array.from(response.keys());
    const rows = { embedding: { rows: 31_000, columns: 700, data }, tokenIds, responses: [response] };
    const sizes = new Set<boolean>();
    await expect(
      probeRegression(rows, async (block, count, columns) => {
        sizes.add(block.length === count * columns);
        if (count < 2000) throw new Error("seen the last block");
        return new Float64Array(columns * columns);
      }),
    ).rejects.toThrow("seen the last block");
    expect([...sizes]).toEqual([true]);
  });
});

test("leadingVarianceShares agrees with all eigenvalues of the covariance", async () => {
  const rows = noisyRows(2000, 40);
  const { moments } = await probeRegression(rows, gram);
  const { columns, data } = rows.embedding;
  const means = Float64Array.from({ length: columns }, (_, j) => {
    let sum = 0;
    for (let w = 0; w < 2000; w++) sum += data[w * columns + j]!;
    return sum / 2000;
  });
  const covariance = new Float64Array(columns * columns);
  for (let w = 0; w < 2000; w++) {
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) {
        covariance[i * columns + j]! += (data[w * columns + i]! - means[i]!) * (data[w * columns + j]! - means[j]!);
      }
    }
  }
  const values = symmetricEigenvalues(covariance, columns);
  const trace = values.reduce((sum, value) => sum + value, 0);
  for (const [i, share] of leadingVarianceShares(moments, 10).entries()) {
    expect(Math.abs(share / (values[i]! / trace) - 1), `component ${i}`).toBeLessThan(1e-8);
  }
});
