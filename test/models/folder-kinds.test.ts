import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import { editedCheckpoint } from "../../src/export/edited-checkpoint.js";
import { nextTokenDistribution } from "../../src/generation/next-token.js";
import { type Model, openModel } from "../../src/model/model.js";
import { createEngine } from "../../src/node/engine/onnx-engine.js";
import { bytesSource } from "../../src/tensor/byte-source.js";
import { readSafetensorsHeader, readTensor } from "../../src/tensor/safetensors/safetensors.js";
import { type TensorData, writeSafetensors } from "../../src/tensor/safetensors/write-safetensors.js";
import { type MemoryFiles, memoryFolder } from "../support/memory-folder.js";

type Fields = Readonly<Record<string, unknown>>;

const goldens = "test/goldens/folders";
const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const bytesOf = async (path: string) => new Uint8Array(await readFile(`${goldens}/${path}`));
const jsonOf = async (path: string) => JSON.parse(await readFile(`${goldens}/${path}`, "utf8"));
const shardFiles: MemoryFiles = Object.fromEntries(
  await Promise.all(shards.map(async (name) => [name, await bytesOf(name)] as const)),
);
const config: Fields = await jsonOf("index-lists-absent-tensor/config.json");
const tensors = (
  await Promise.all(
    Object.values(shardFiles).map(async (bytes) => {
      const held = (await readSafetensorsHeader(bytesSource("shard", bytes as Uint8Array))).tensors;
      return Promise.all([...held.values()].map(async (one) => ({ ...one, data: await readTensor(one) })));
    }),
  )
).flat() as TensorData[];

const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

/** A model folder of one file of weights. */
const whole = (
  weights: readonly TensorData[],
  fields: Fields = {},
  metadata: Record<string, string> = {},
): MemoryFiles => ({
  "config.json": JSON.stringify({ ...config, ...fields }),
  "model.safetensors": writeSafetensors(weights, metadata),
});

const renamed = (name: (old: string) => string, some = tensors) =>
  some.map((tensor) => ({ ...tensor, name: name(tensor.name) }));

async function opened(files: MemoryFiles): Promise<{ model: Model; notices: string[] }> {
  const notices: string[] = [];
  return { model: await openModel(memoryFolder(files), engine, "model", (notice) => notices.push(notice)), notices };
}

interface Golden {
  readonly prompt_ids: number[];
  readonly transformers: readonly { readonly id: number; readonly probability: number }[];
}

/** What transformers computes of the same folder. */
async function expectGolden(model: Model, name: string): Promise<void> {
  const golden: Golden = await jsonOf(`${name}/expected.json`);
  const { likeliest } = await nextTokenDistribution(model, { prompt: golden.prompt_ids, listed: 5 });
  expect(likeliest.map(({ id }) => id)).toEqual(golden.transformers.map(({ id }) => id));
  for (const [i, { probability }] of golden.transformers.entries()) {
    expect(Math.abs(likeliest[i]!.probability / probability - 1)).toBeLessThan(1e-5);
  }
}

describe("weights as transformers takes them", () => {
  test.each(["index-omits-stored-head", "index-lists-absent-tensor"])("%s: the shards decide", async (name) => {
    const index = await bytesOf(`${name}/model.safetensors.index.json`);
    const files = {
      ...shardFiles,
      "config.json": await bytesOf(`${name}/config.json`),
      "model.safetensors.index.json": index,
    };
    const { model, notices } = await opened(files);
    await expectGolden(model, "index-omits-stored-head");
    expect(notices).toEqual([]);
  });

  const headOnly = renamed(
    (name) => (name === "model.embed_tokens.weight" ? "lm_head.weight" : name),
    tensors.filter(({ name }) => name !== "lm_head.weight"),
  );
  const alias = { format: "pt", "model.embed_tokens.weight": "lm_head.weight" };

  test.each<[string, MemoryFiles]>([
    ["tied", whole(headOnly, { tie_word_embeddings: true })],
    ["tied, and the metadata says so", whole(headOnly, { tie_word_embeddings: true }, alias)],
    ["tied in the metadata only", whole(headOnly, {}, alias)],
  ])("one matrix under the head's name, %s", async (_, files) => {
    const { model } = await opened(files);
    await expectGolden(model, "only-lm-head-stored");
    expect(model.head.tied).toBe(true);
    // Another head must not take the embedding along.
    expect([...model.tensors.keys()]).toEqual(expect.arrayContaining(["lm_head.weight", "model.embed_tokens.weight"]));
  });

  test("what RoPE's parameters hold besides is passed over, and said", async () => {
    const { "model.safetensors": weights } = whole(tensors);
    const fields = await bytesOf("rope-extra-keys-attn-factor/config.json");
    const { model, notices } = await opened({ "config.json": fields, "model.safetensors": weights! });
    await expectGolden(model, "rope-extra-keys-attn-factor");
    expect(notices).toEqual([
      'config.json: field "rope_scaling.attn_factor" is not known and passed over, as transformers does',
    ]);
  });

  test("a share of the heads to rotate is passed over by a family that rotates whole heads", async () => {
    const { model, notices } = await opened(whole(tensors, { partial_rotary_factor: 0.5 }));
    await expectGolden(model, "index-omits-stored-head");
    expect(notices).toEqual([
      'config.json: field "partial_rotary_factor" is passed over, as transformers does: this family rotates whole heads',
    ]);
  });

  test.each<[string, (name: string) => string, string]>([
    ["torch.compile", (name) => `_orig_mod.${name}`, '"_orig_mod."'],
    ["several wrappers", (name) => `module._orig_mod.${name}`, '"_orig_mod." and "module."'],
    ["PEFT", (name) => `base_model.model.${name}`, '"base_model.model."'],
    ["Lightning", (name) => `model.${name}`, '"model."'],
    ["single layers", (name) => name.replace("layers.0.", "layers.0._orig_mod."), '"_orig_mod."'],
  ])("names behind those of a wrapper: %s", async (_, wrap, removed) => {
    const { model, notices } = await opened(whole(renamed(wrap)));
    await expectGolden(model, "index-omits-stored-head");
    expect(notices).toEqual([
      `model.safetensors: the names of its tensors are read without ${removed}, which a wrapper put there`,
    ]);
  });

  test("a shard is written under the names that the model has", async () => {
    // A name like any other, but for a plain object.
    const odd = { name: "__proto__", dtype: "F32" as const, shape: [1], data: new Float32Array(1) };
    const names = [...tensors, odd].map(({ name }) => name);
    const wrapped = renamed((name) => `module.${name}`, [...tensors, odd]);
    const [first, second] = [wrapped.slice(0, 3), wrapped.slice(3)].map((part) => writeSafetensors(part));
    const map = Object.fromEntries(wrapped.map(({ name }, i) => [name, shards[i < 3 ? 0 : 1]]));
    const { model } = await opened({
      "config.json": JSON.stringify(config),
      "model.safetensors.index.json": JSON.stringify({ weight_map: map }),
      [shards[0]!]: first!,
      [shards[1]!]: second!,
    });
    const written = new Map(await editedCheckpoint(model, {}));
    const index = JSON.parse(written.get("model.safetensors.index.json") as string);
    expect(Object.keys(index.weight_map).sort()).toEqual([...names].sort());
    const found: string[] = [];
    for (const shard of shards) {
      const parts: Uint8Array[] = [];
      for await (const part of written.get(shard) as AsyncIterable<Uint8Array>) parts.push(part.slice());
      found.push(...(await readSafetensorsHeader(bytesSource(shard, Buffer.concat(parts)))).tensors.keys());
    }
    expect(found.sort()).toEqual([...names].sort());
  });
});

describe("folders that are something else are refused in one line", () => {
  const added = (name: string, dtype: TensorData["dtype"], data: ArrayBufferView): TensorData => ({
    ...{ name, dtype, data, shape: [2, 2] },
  });
  const without = tensors.filter(({ name }) => !name.includes("q_proj"));
  const q = "model.layers.0.self_attn.q_proj";
  const adapter = '{"peft_type": "LORA", "base_model_name_or_path": "org/base"}';
  const embeddingOnly = tensors.filter(({ name }) => name !== "lm_head.weight");

  test.each<[string, MemoryFiles, RegExp]>([
    [
      "an adapter",
      { "adapter_config.json": adapter },
      /^model: is a LoRA adapter of "org\/base" \(adapter_config\.json\), .*merge_and_unload\(\)/,
    ],
    [
      "an adapter beside a config",
      { "adapter_config.json": adapter, "config.json": JSON.stringify(config) },
      /^model: is a LoRA adapter of "org\/base"/,
    ],
    [
      "another adapter",
      { "adapter_config.json": '{"peft_type": "IA3"}' },
      /^model: is an adapter \("IA3"\) of a base model/,
    ],
    ["a broken adapter", { "adapter_config.json": "{" }, /^model: is an adapter of a base model that it does not name/],
    ["Meta's layout", { "params.json": "{}" }, /^model: is Meta's or Mistral's own layout: .* \(params\.json\)$/],
    [
      "an adapter that was not merged",
      whole([...tensors, added(`${q}.lora_A.default.weight`, "F32", new Float32Array(4))]),
      /^model: holds an adapter's ".*lora_A.default.weight" beside the weights: merge it first/,
    ],
    [
      "GPTQ",
      whole([
        ...without,
        added(`${q}.qweight`, "I32", new Int32Array(4)),
        added(`${q}.g_idx`, "I32", new Int32Array(4)),
      ]),
      /^model: holds GPTQ's quantized weights \(".*\.g_idx", I32\), which are not read: open the original/,
    ],
    [
      "AWQ",
      whole([...without, added(`${q}.qweight`, "I32", new Int32Array(4))]),
      /^model: holds AWQ's or GPTQ's quantized weights/,
    ],
    [
      "bitsandbytes",
      whole([
        ...without,
        added(`${q}.weight`, "U8", new Uint8Array(4)),
        added(`${q}.weight.absmax`, "F32", new Float32Array(4)),
      ]),
      /^model: holds bitsandbytes' quantized weights/,
    ],
    [
      "MLX",
      whole([...without, added(`${q}.weight`, "U32", new Uint32Array(4))]),
      /^model: holds MLX's quantized weights/,
    ],
    [
      "FP8",
      whole([...without, added(`${q}.weight`, "F8_E4M3", new Uint8Array(4))]),
      /^model: holds FP8 quantized weights/,
    ],
    [
      "a config that says GPTQ",
      whole(tensors, { quantization_config: { quant_method: "gptq", bits: 4 } }),
      /^config\.json: field "quantization_config" says that the weights are quantized \(gptq, 4 bits\)/,
    ],
    [
      "a config that says bitsandbytes, as it did at first",
      whole(tensors, { quantization_config: { load_in_4bit: true } }),
      /^config\.json: field "quantization_config" says that the weights are quantized \(bitsandbytes, 4 bits\)/,
    ],
    [
      "a config that says MLX",
      whole(tensors, { quantization: { group_size: 64, bits: 4 } }),
      /^config\.json: field "quantization" says that the weights are quantized \(MLX, 4 bits\)/,
    ],
    [
      "an untied model without a head",
      whole(embeddingOnly),
      /^model: tensor "lm_head.weight" is missing, and "tie_word_embeddings" in config.json is false: set it to true/,
    ],
    [
      "two tensors of one name behind a wrapper's",
      whole([...renamed((name) => `module.${name}`), ...renamed((name) => `module._orig_mod.${name}`)]),
      /^model: tensor "model\.embed_tokens\.weight" or "embed_tokens\.weight" is missing$/,
    ],
    [
      "a field twice",
      { ...whole(tensors), "config.json": `${JSON.stringify(config).slice(0, -1)}, "vocab_size": 268}` },
      /^config\.json: config names "vocab_size" twice$/,
    ],
  ])("%s", async (_, files, message) => {
    await expect(opened(files)).rejects.toThrow(message);
  });

  test("a row that is not finite is called by its token", async () => {
    const tokenizer = new Uint8Array(await readFile("test/goldens/tokenizers/words.json"));
    const broken = tensors.map((tensor) => {
      if (tensor.name !== "lm_head.weight") return tensor;
      const data = Float32Array.from(tensor.data as Float32Array);
      data[3 * 16 + 5] = Number.NaN;
      return { ...tensor, data };
    });
    const at = 'tensor "lm_head.weight" holds NaN at element 53, in the row of token';
    await expect(opened(whole(broken))).rejects.toThrow(`model.safetensors: ${at} id 3`);
    await expect(opened({ ...whole(broken), "tokenizer.json": tokenizer })).rejects.toThrow(/row of token 3 \(".+"\)$/);
  });

  test("a byte order mark, and NaN where nobody asks for it, are read", async () => {
    const text = `\ufeff${JSON.stringify(config).slice(0, -1)}, "router_jitter_noise": NaN}`;
    const { model } = await opened({ ...whole(tensors), "config.json": text });
    await expectGolden(model, "index-omits-stored-head");
    const written = new Map(await editedCheckpoint(model, {})).get("config.json") as string;
    expect(written).toBe(text.slice(1));
  });
});
