/**
 * How much longer a model with experts takes than a dense one of the same active size: layers of attention and of an MLP with
 * as many numbers inside as a token's experts have together. Both are made here, with random weights, and read the same
 * random ids in turn, in windows and one token at a time with a cache.
 *
 *     npx tsx bench/experts.ts [--experts 8,32] [--used 2] [--size 512] [--inner 896] [--layers 4] [--threads 2]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDecoder } from "../src/generation/decoder.js";
import { seededRandom } from "../src/linalg/random.js";
import type { Model } from "../src/model/model.js";
import { writeFolderAtomic } from "../src/node/files/write-atomic.js";
import { loadModel } from "../src/node/load-model.js";
import { encodeFloats } from "../src/tensor/dtype.js";
import { safetensorsChunks } from "../src/tensor/safetensors/write-safetensors.js";

const { values } = parseArgs({
  options: {
    experts: { type: "string", default: "8,32" },
    used: { type: "string", default: "2" },
    size: { type: "string", default: "512" },
    inner: { type: "string", default: "896" },
    layers: { type: "string", default: "4" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const [used, d, inner, layers, threads] = [values.used, values.size, values.inner, values.layers, values.threads].map(
  Number,
) as [number, number, number, number, number];
const [V, heads] = [1000, 8];
const [windows, length, turns, decoded] = [4, 256, 15, 32];

const random = seededRandom(1);

function tensor(name: string, ...shape: number[]) {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Float32Array.from({ length: count }, () =>
    shape.length === 1 ? 1 : (2 * (random() - 0.5)) / Math.sqrt(shape.at(-1)!),
  );
  return { name, dtype: "F32" as const, shape, data: encodeFloats("F32", numbers) };
}

/** With that many experts, or an MLP of their active size. */
async function written(folder: string, experts: number | undefined): Promise<string> {
  const mlp = (layer: string) =>
    experts === undefined
      ? [
          ...["gate_proj", "up_proj"].map((name) => tensor(`${layer}.mlp.${name}.weight`, used * inner, d)),
          tensor(`${layer}.mlp.down_proj.weight`, d, used * inner),
        ]
      : [
          tensor(`${layer}.mlp.gate.weight`, experts, d),
          tensor(`${layer}.mlp.experts.gate_up_proj`, experts, 2 * inner, d),
          tensor(`${layer}.mlp.experts.down_proj`, experts, d, inner),
        ];
  const tensors = Array.from({ length: layers }, (_, index) => `model.layers.${index}`).flatMap((layer) => [
    ...["input_layernorm", "post_attention_layernorm"].map((name) => tensor(`${layer}.${name}.weight`, d)),
    ...["q_proj", "k_proj", "v_proj", "o_proj"].map((name) => tensor(`${layer}.self_attn.${name}.weight`, d, d)),
    ...mlp(layer),
  ]);
  const ends = [
    tensor("model.norm.weight", d),
    ...["model.embed_tokens", "lm_head"].map((n) => tensor(`${n}.weight`, V, d)),
  ];
  const config = {
    ...{ model_type: experts === undefined ? "mistral" : "mixtral", vocab_size: V, hidden_size: d },
    ...{ num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: heads, sliding_window: null },
    ...{ max_position_embeddings: 1024, intermediate_size: experts === undefined ? used * inner : inner },
    ...{ num_local_experts: experts, num_experts_per_tok: used },
  };
  await writeFolderAtomic(folder, [
    ["config.json", JSON.stringify(config)],
    ["model.safetensors", safetensorsChunks([...tensors, ...ends], { format: "pt" })],
  ]);
  return folder;
}

const ids = (count: number) => Int32Array.from({ length: count }, () => Math.floor(random() * V));
/** Of all turns, since other programs only ever make one longer. */
const best = (times: number[]) => Math.min(...times);

async function seconds(what: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await what();
  return (performance.now() - started) / 1000;
}

/** Of each model in turn: seconds for all windows, and for one token behind 64 others. */
async function timed(models: Model[]) {
  const text = { count: windows, length, tokenIds: ids(windows * length) };
  const decoders = await Promise.all(models.map((model) => openDecoder(model, { oneAtATime: true })));
  const reading: number[][] = models.map(() => []);
  const decoding: number[][] = models.map(() => []);
  for (let turn = 0; turn <= turns; turn++) {
    for (const [index, model] of models.entries()) {
      const read = await seconds(() => model.hiddenStates(text));
      let batch = await decoders[index]!.read([ids(64)]);
      const one = await seconds(async () => {
        for (const id of ids(decoded)) batch = await decoders[index]!.extend(batch, [id]);
      });
      // The first turn loads.
      if (turn > 0) {
        reading[index]!.push(read);
        decoding[index]!.push(one / decoded);
      }
    }
  }
  await Promise.all(decoders.map((decoder) => decoder.close()));
  return models.map((_, index) => ({ reading: best(reading[index]!), decoding: best(decoding[index]!) }));
}

const folder = await mkdtemp(join(tmpdir(), "unembed-experts-"));
try {
  const kinds = [undefined, ...values.experts.split(",").map(Number)];
  const folders = await Promise.all(kinds.map((experts) => written(join(folder, `${experts ?? "dense"}`), experts)));
  const models = await Promise.all(folders.map((name) => loadModel(name, { threads })));
  const times = await timed(models);
  console.log(
    `| d ${d}, ${used} of N experts with ${inner} numbers, ${layers} layers, ${threads} threads | ms for ${windows} windows of ${length} | ratio | ms a token with cache | ratio |`,
  );
  console.log("| --- | --- | --- | --- | --- |");
  for (const [index, { reading, decoding }] of times.entries()) {
    const ratio = (value: number, dense: number) => (value / dense).toFixed(2);
    const name = kinds[index] === undefined ? `dense, ${used * inner} numbers` : `${kinds[index]} experts`;
    const cells = [(1000 * reading).toFixed(0), ratio(reading, times[0]!.reading), (1000 * decoding).toFixed(2)];
    console.log(`| ${[name, ...cells, ratio(decoding, times[0]!.decoding)].join(" | ")} |`);
  }
  await Promise.all(models.map((model) => model.close()));
} finally {
  await rm(folder, { recursive: true });
}
