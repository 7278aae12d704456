/**
 * How much faster a model decodes whose head was halved, or has two stages, where the head dominates: all written as ONNX, run by
 * onnxruntime alone in turn, one token at a time with key-value cache. The model is made here, with random weights.
 *
 *     npx tsx bench/decode.ts [--vocabulary 65536] [--size 512] [--layers 2] [--keep 256] [--preview 128] [--rescore 1024] [--threads 2]
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../src/linalg/random.js";
import type { ReducedHead } from "../src/model/head/reduced-head.js";
import type { Model } from "../src/model/model.js";
import { writeFolderAtomic } from "../src/node/files/write-atomic.js";
import { loadModel } from "../src/node/load-model.js";
import { saveOnnx } from "../src/node/save/save-onnx.js";
import { encodeFloats } from "../src/tensor/dtype.js";
import { safetensorsChunks } from "../src/tensor/safetensors/write-safetensors.js";
import { onnxDecoder } from "./onnx-decoder.js";

const { values } = parseArgs({
  options: {
    vocabulary: { type: "string", default: "65536" },
    size: { type: "string", default: "512" },
    layers: { type: "string", default: "2" },
    keep: { type: "string", default: "256" },
    preview: { type: "string", default: "128" },
    rescore: { type: "string", default: "1024" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const [V, d, layers, kept, threads] = [values.vocabulary, values.size, values.layers, values.keep, values.threads].map(
  Number,
) as [number, number, number, number, number];

/** Read before the first token that is timed, timed in each turn, and turns of each model. */
const [promptTokens, turnTokens, turns] = [64, 32, 12];
const heads = 8;

const random = seededRandom(1);
const numbers = (count: number) => Float32Array.from({ length: count }, () => 0.04 * (random() - 0.5));

/** A GPT-2 with float16 weights, tied. */
async function writeSyntheticModel(folder: string): Promise<void> {
  const tensor = (name: string, shape: number[], values: Float32Array) => ({
    name: `transformer.${name}`,
    dtype: "F16" as const,
    shape,
    data: encodeFloats("F16", values),
  });
  const affine = (name: string, shape: number[]) => [
    tensor(`${name}.weight`, shape, numbers(shape.reduce((product, size) => product * size, 1))),
    tensor(`${name}.bias`, shape.slice(-1), numbers(shape.at(-1)!)),
  ];
  const norm = (name: string) => [
    tensor(`${name}.weight`, [d], new Float32Array(d).fill(1)),
    tensor(`${name}.bias`, [d], new Float32Array(d)),
  ];
  const tensors = [
    tensor("wte.weight", [V, d], numbers(V * d)),
    tensor("wpe.weight", [1024, d], numbers(1024 * d)),
    ...norm("ln_f"),
    ...Array.from({ length: layers }, (_, layer) => [
      ...[...norm(`h.${layer}.ln_1`), ...norm(`h.${layer}.ln_2`)],
      ...[...affine(`h.${layer}.attn.c_attn`, [d, 3 * d]), ...affine(`h.${layer}.attn.c_proj`, [d, d])],
      ...[...affine(`h.${layer}.mlp.c_fc`, [d, 4 * d]), ...affine(`h.${layer}.mlp.c_proj`, [4 * d, d])],
    ]).flat(),
  ];
  const config = { model_type: "gpt2", vocab_size: V, n_embd: d, n_layer: layers, n_head: heads, n_positions: 1024 };
  await writeFolderAtomic(folder, [
    ["config.json", JSON.stringify(config)],
    ["model.safetensors", safetensorsChunks(tensors, { format: "pt" })],
  ]);
}

/** What the numbers are does not change how long they take. */
const reducedHead = (order: "rotation" | "saliency", kept: number): ReducedHead => ({
  kept,
  coordinates:
    order === "saliency" ? Int32Array.from({ length: kept }, (_, i) => Math.floor((i * d) / kept)) : undefined,
  projection: order === "rotation" ? numbers(kept * d) : undefined,
  factor: numbers(V * kept),
  bias: new Float32Array(V),
});

interface Timed {
  readonly milliseconds: number[];
  turn(timed: boolean): Promise<void>;
  release(): Promise<void>;
}

/** @param file an ONNX model with key-value cache */
async function timedDecoder(file: string): Promise<Timed> {
  const { step, empty, release } = await onnxDecoder(file, { heads, headDim: d / heads, threads });
  const milliseconds: number[] = [];
  return {
    milliseconds,
    async turn(timed) {
      const prompt = Array.from({ length: promptTokens }, (_, i) => (7 * i) % V);
      let { past } = await step(prompt, empty(), 0);
      for (let token = 0; token < turnTokens; token++) {
        const started = performance.now();
        ({ past } = await step([(11 * token) % V], past, promptTokens + token));
        if (timed) milliseconds.push(performance.now() - started);
      }
    },
    release,
  };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const folder = await mkdtemp(join(tmpdir(), "unembed-decode-"));
let model: Model | undefined;
try {
  await writeSyntheticModel(join(folder, "model"));
  model = await loadModel(join(folder, "model"), { threads });
  const twoStages = { ...reducedHead("rotation", Number(values.preview)), rescore: Number(values.rescore) };
  const forms = {
    whole: {},
    directions: reducedHead("rotation", kept),
    coordinates: reducedHead("saliency", kept),
    [`two stages, ${values.preview} kept, ${values.rescore} rescored`]: twoStages,
  };
  const decoders: [string, number, Timed][] = [];
  for (const [name, change] of Object.entries(forms)) {
    const file = join(folder, name, "onnx/model.onnx");
    await saveOnnx(model, change, join(folder, name));
    decoders.push([name, (await stat(file)).size, await timedDecoder(file)]);
  }
  // In turn, so that what else the machine does meets all of them; the first turn finds cold caches.
  for (let turn = 0; turn <= turns; turn++) for (const [, , one] of decoders) await one.turn(turn > 0);
  console.log(
    `V = ${V}, d = ${d}, ${layers} layers, ${kept} kept, ${threads} threads, ${turns * turnTokens} tokens each\n`,
  );
  console.log("| head | model, MB | ms per token, median | times as fast |\n| --- | --- | --- | --- |");
  const whole = median(decoders[0]![2].milliseconds);
  for (const [name, bytes, { milliseconds }] of decoders) {
    const time = median(milliseconds);
    console.log(`| ${name} | ${(bytes / 1e6).toFixed(1)} | ${time.toFixed(2)} | ${(whole / time).toFixed(2)} |`);
  }
  for (const [, , one] of decoders) await one.release();
} finally {
  await model?.close();
  await rm(folder, { recursive: true });
}
