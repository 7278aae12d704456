import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openFolder } from "../node/files/file-source.js";
import { bytesSource } from "../tensor/byte-source.js";
import { openCheckpointTensors } from "../tensor/checkpoint-tensors.js";
import { readSafetensorsHeader } from "../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../tensor/safetensors/write-safetensors.js";
import { measureConvergence } from "./convergence.js";
import type { Convergence } from "./dynamics.js";
import type { Checkpoint } from "./inputs/checkpoint.js";

interface Golden {
  convergence: { step: number; tensors: Record<string, { cosine: number; relativeDistance: number }> }[];
}

const readGolden = async (): Promise<Golden> =>
  JSON.parse(await readFile("test/goldens/dynamics/dynamics.json", "utf8"));
const steps = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2000, 3000, 4000, 5000];

function folders(root: string): Checkpoint[] {
  return steps.map((step) => checkpoint(step, () => openCheckpointTensors(openFolder(`${root}/step${step}`))));
}

function checkpoint(step: number, tensors: Checkpoint["tensors"]): Checkpoint {
  return { name: `step${step}`, step, tensors, outputEmbedding: () => Promise.reject(new Error("not asked for")) };
}

/** Compares with numpy: relative to 1 where the numbers themselves are near zero. */
function compare(found: Convergence["tensors"], golden: Golden): number {
  let compared = 0;
  for (const [k, { step, tensors }] of golden.convergence.entries()) {
    for (const [name, wanted] of Object.entries(tensors)) {
      const ours = found[name];
      if (ours === undefined) continue;
      for (const key of ["cosine", "relativeDistance"] as const) {
        const error = Math.abs(ours[key][k]! - wanted[key]) / Math.max(1e-3, Math.abs(wanted[key]));
        expect(error, `${key} of ${name} at step ${step}`).toBeLessThan(1e-9);
        compared++;
      }
    }
  }
  return compared;
}

describe("measureConvergence", () => {
  test("agrees with numpy on the output embeddings of a training run", async () => {
    const { convergence } = await measureConvergence(folders("assets/tiny-books-neox/steps"));
    expect(convergence.steps).toEqual(steps);
    expect(compare(convergence.tensors, await readGolden())).toBe(32);
    expect(convergence.parts.map(({ name }) => name)).toEqual(["head"]);
  });

  test("agrees with numpy on its norms and biases, and adds them up by layer and kind", async () => {
    const { convergence } = await measureConvergence(folders("test/goldens/dynamics/steps"));
    expect(compare(convergence.tensors, await readGolden())).toBe(2 * 16 * 18);
    expect(convergence.layers.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["layer 0", 1664],
      ["layer 3", 1664],
    ]);
    expect(convergence.parts.map(({ name }) => name)).toEqual([
      ...["layer 0 norms", "layer 0 attention", "layer 0 MLP", "layer 3 norms", "layer 3 attention", "layer 3 MLP"],
      "final norm",
    ]);
    for (const { pathShare, cosineToPrevious } of convergence.parts) {
      expect(pathShare[0]).toBe(0);
      expect(pathShare.at(-1)).toBeCloseTo(1, 12);
      expect(pathShare).toEqual([...pathShare].sort((a, b) => a - b));
      expect(cosineToPrevious).toHaveLength(16);
    }
  });

  test("the measurements that come with the embedded series are those of the whole checkpoints", async () => {
    const embedded: Convergence = JSON.parse(await readFile("assets/tiny-books-neox/convergence.json", "utf8"));
    expect(compare(embedded.tensors, await readGolden())).toBe(2 * 16 * 52);
    // What is here of the checkpoints gives the very same numbers.
    const { convergence } = await measureConvergence(folders("assets/tiny-books-neox/steps"));
    expect(convergence.parts[0]).toEqual(embedded.parts.find(({ name }) => name === "head"));
  });
});

async function made(step: number, tensors: Record<string, number[]>): Promise<Checkpoint> {
  const bytes = writeSafetensors(
    Object.entries(tensors).map(([name, values]) => ({
      name,
      dtype: "F32" as const,
      shape: [values.length],
      data: Float32Array.from(values),
    })),
  );
  const opened = (await readSafetensorsHeader(bytesSource(`step${step}`, bytes))).tensors;
  return checkpoint(step, async () => opened);
}

describe("measureConvergence by hand", () => {
  test("walks the path, against the last and against the previous", async () => {
    const { convergence } = await measureConvergence([
      await made(0, { "layers.0.mlp.w": [3, 0], "layers.0.attn.w": [0] }),
      await made(5, { "layers.0.mlp.w": [0, 4], "layers.0.attn.w": [0] }),
      await made(9, { "layers.0.mlp.w": [0, 8], "layers.0.attn.w": [3] }),
    ]);
    const [attention, mlp] = convergence.parts;
    expect(mlp).toMatchObject({
      cosine: [0, 1, 1],
      relativeDistance: [Math.sqrt(73) / 8, 0.5, 0],
      cosineToPrevious: [1, 0, 1],
      relativeDistanceToPrevious: [0, 5 / 3, 1],
      pathShare: [0, 5 / 9, 1],
    });
    expect(attention).toMatchObject({ cosine: [0, 0, 1], relativeDistance: [1, 1, 0], pathShare: [0, 0, 1] });
    expect(attention!.relativeDistanceToPrevious).toEqual([0, 0, 1]);
    // A layer as a whole: one vector of all its numbers.
    expect(convergence.layers[0]!.pathShare[1]).toBeCloseTo(5 / (5 + Math.hypot(4, 3)), 12);
  });

  test("leaves a checkpoint that is not finite out, and says so", async () => {
    const { convergence, notFinite } = await measureConvergence([
      await made(0, { "layers.0.mlp.w": [1, 1] }),
      await made(1, { "layers.0.mlp.w": [1, Number.NaN] }),
      await made(2, { "layers.0.mlp.w": [2, 1] }),
    ]);
    expect(convergence.steps).toEqual([0, 2]);
    expect(notFinite).toEqual([{ name: "step1", step: 1, tensor: "layers.0.mlp.w" }]);
  });

  test("refuses checkpoints with other tensors", async () => {
    const first = await made(0, { "layers.0.mlp.w": [1, 1] });
    await expect(measureConvergence([first, await made(1, { "layers.0.mlp.v": [1] })])).rejects.toThrow(
      /^step0: has no tensor "layers.0.mlp.v", which step1 has/,
    );
    await expect(measureConvergence([first, await made(1, { "layers.0.mlp.w": [1] })])).rejects.toThrow(
      /^step0: tensor "layers.0.mlp.w" is F32 \[2\], and \[1\] in step1/,
    );
  });
});
