import type { Dynamics } from "../../src/dynamics/dynamics.js";
import type { Checkpoint } from "../../src/dynamics/inputs/checkpoint.js";
import { countFrequencies } from "../../src/dynamics/inputs/frequencies.js";
import { dynamics } from "../../src/dynamics/watch.js";
import { seededRandom } from "../../src/linalg/random.js";
import { bytesSource } from "../../src/tensor/byte-source.js";
import { readSafetensorsHeader } from "../../src/tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../src/tensor/safetensors/write-safetensors.js";

const rows = 300;
const columns = 8;
const steps = [0, 1, 2, 4, 8, 16, 32, 64];

/** A made-up run whose embedding comes to say the frequency at step 8, and whose two layers move on until the end. */
export async function plausibleDynamics(
  tokens: string[] = Array.from({ length: rows }, (_, id) => (id % 2 ? ` word${id}` : `part${id}`)),
): Promise<Dynamics> {
  const counts = Float64Array.from({ length: rows }, (_, id) => Math.floor(1e6 / (id + 1)));
  return dynamics(steps.map(madeUpCheckpoint), {
    name: "made-up",
    frequencies: (vocabSize) => countFrequencies({ counts, source: "counts.npy", vocabSize, seenOnly: false }),
    tokens,
    convergence: true,
    log: steps.map((step) => ({ step, loss: 3 + 5 / (1 + step / 8) })),
  });
}

function madeUpCheckpoint(step: number): Checkpoint {
  const random = seededRandom(11);
  const learnt = 1 / (1 + Math.exp((8 - step) / 2));
  const embedding = Float32Array.from({ length: rows * columns }, () => random() - 0.5);
  for (let id = 0; id < rows; id++) embedding[id * columns]! += learnt * Math.log(id + 1);
  const layer = (index: number) =>
    Float32Array.from({ length: 40 }, (_, i) => Math.sin(i + index) + (step / 64) * Math.cos(i));
  const bytes = writeSafetensors([
    { name: "embed_out.weight", dtype: "F32", shape: [rows, columns], data: embedding },
    { name: "layers.0.mlp.weight", dtype: "F32", shape: [40], data: layer(0) },
    { name: "layers.1.mlp.weight", dtype: "F32", shape: [40], data: layer(1) },
  ]);
  const tensors = async () => (await readSafetensorsHeader(bytesSource(`step${step}`, bytes))).tensors;
  return {
    name: `step${step}`,
    step,
    tensors,
    outputEmbedding: async () => (await tensors()).get("embed_out.weight")!,
  };
}
