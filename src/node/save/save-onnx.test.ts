import { readdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import {
  expectClose,
  movedRows,
  reducedLogitsOf,
  rescoredLogitsOf,
  untied,
  writtenModels,
} from "../../../test/support/written-models.js";
import { float32Output } from "../../engine/engine.js";
import { openOnnxWeights, readOnnxHead, readOnnxReducedHead } from "../../export/onnx-head.js";
import { onnxFiles } from "../../export/onnx-model.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import { headModel, logitsGraph } from "../../model/head/head-model.js";
import { requireOneStage } from "../../model/head/one-stage.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { spreadHead } from "../../model/head/spread-head.js";
import type { Model } from "../../model/model.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { decodeFloat32, encodeFloats, type FloatDType } from "../../tensor/dtype.js";
import { readTensor, type TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { openFolder } from "../files/file-source.js";
import { saveFiles } from "./save-model.js";
import { saveOnnx } from "./save-onnx.js";

const models = writtenModels();
const { load } = models;

const bytesOf = async ({ source, offset, byteLength }: TensorEntry) =>
  Buffer.from(await source.read(offset, byteLength));

const someChange = async (model: Model) =>
  ({
    rows: await movedRows(model),
    bias: Float64Array.from({ length: model.vocabSize }, (_, w) => Math.sin(w)),
  }) satisfies HeadChange;

const ids = Array.from({ length: 12 }, (_, i) => (i * 7) % 60);

/** What onnxruntime alone makes of the file. */
async function outputsOf(out: string): Promise<{ session: ort.InferenceSession; logits: Float32Array }> {
  const session = await ort.InferenceSession.create(join(out, "onnx/model.onnx"), { intraOpNumThreads: 1 });
  const row = (values: number[]) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  const past = session.inputMetadata.filter(({ name }) => name.startsWith("past_"));
  const empty = past.map((meta) => {
    // Keys and values of no token, or a state as it is before the first.
    const sizes: Record<string, number> = { batch_size: 1, past_sequence_length: 0 };
    const shape = meta.isTensor ? meta.shape : [];
    expect(shape[0]).toBe("batch_size");
    if (meta.name.startsWith("past_key_values.")) expect([shape.length, shape[2]]).toEqual([4, "past_sequence_length"]);
    else expect(shape).not.toContain("past_sequence_length");
    const dims = shape.map((size) => (typeof size === "number" ? size : sizes[size]!));
    const count = dims.reduce((product, size) => product * size, 1);
    return [meta.name, new ort.Tensor("float32", new Float32Array(count), dims)];
  });
  const outputs = await session.run({
    input_ids: row(ids),
    attention_mask: row(ids.map(() => 1)),
    position_ids: row(ids.map((_, at) => at)),
    ...Object.fromEntries(empty),
  });
  return { session, logits: outputs.logits!.data as Float32Array };
}

describe("every architecture", () => {
  test.each(readdirSync("test/goldens/arch"))(
    "%s is written as ONNX with another head and nothing else",
    async (name) => {
      const source = join("test/goldens/arch", name);
      const model = await load(source);
      const change = await someChange(model);
      const out = join(models.folder, name);
      await saveOnnx(model, change, out, { files: [["note.txt", "beside"]] });
      const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
      const wanted = JSON.parse(await readFile(join(source, "config.json"), "utf8"));
      const own = wanted.text_config ?? wanted;
      const layers: number = own.num_hidden_layers ?? own.n_layer ?? own.n_layers ?? own.num_layers;
      const added = {
        ...(wanted.multi_query ? { multi_query: null } : {}),
        "transformers.js_config": { dtype: "fp32" },
      };
      expect(config).toEqual({ ...untied(own), ...added });
      const beside = ["config.json", ...(await readdir(source)).filter((file) => file === "generation_config.json")];
      expect(await readdir(out)).toEqual(["README.md", ...beside, "note.txt", "onnx"]);

      const head = await readOnnxHead(openFolder(out), model);
      const intended = changedHead(model.head, change);
      expect((await bytesOf(head.weight)).equals(await bytesOf(intended.weight))).toBe(true);
      expect(await readTensor(head.bias!)).toEqual(Float32Array.from(change.bias));
      const written = await openOnnxWeights(openFolder(out));
      const checkpoint = await openCheckpointTensors(openFolder(source));
      const others = [...written].filter(
        ([tensor]) => checkpoint.has(tensor) && tensor !== head.weight.name && !tensor.startsWith("lm_head."),
      );
      expect(others.length).toBeGreaterThan(layers);
      for (const [tensor, entry] of others) {
        if (checkpoint.get(tensor)!.dtype === "F8_E4M3") {
          // With a scale a block: widened, as ONNX has no such weights.
          expect(entry.dtype).toBe("F32");
          continue;
        }
        expect(entry.dtype).toBe(checkpoint.get(tensor)!.dtype);
        expect((await bytesOf(entry)).equals(await bytesOf(checkpoint.get(tensor)!)), tensor).toBe(true);
      }

      const { session, logits } = await outputsOf(out);
      const names = (prefix: string) =>
        Array.from({ length: layers }, (_, i) => [`${prefix}.${i}.key`, `${prefix}.${i}.value`]).flat();
      const past = session.inputNames.slice(3);
      expect(session.inputNames.slice(0, 3)).toEqual(["input_ids", "attention_mask", "position_ids"]);
      // Layers that keep a state, all or some of them, instead of keys and values.
      if (["lfm2", "mamba", "mamba2", "qwen3_next"].includes(name)) expect(past.length).toBeGreaterThanOrEqual(layers);
      else expect(past).toEqual(names("past_key_values"));
      const fresh = past.map((input) => input.replace(/^past(?:_key_values)?/, "present"));
      expect(session.outputNames).toEqual(["logits", ...fresh]);
      expect(session.inputMetadata.map((meta) => meta.isTensor && meta.type)).toEqual([
        ...["int64", "int64", "int64"],
        ...Array(past.length).fill("float32"),
      ]);
      // Run from where it lies in the file, which is at any byte.
      const edited = headModel({ ...model, head, inputEmbedding: undefined });
      expectClose(logits, await edited.logits((await model.forward(ids)).hidden));
      await session.release();
    },
  );
});

/** A head of half the numbers, at random, rounded as it will be stored. */
function someReduced({ head, vocabSize: V, hiddenSize: d }: Model, order: "rotation" | "random"): ReducedHead {
  const kept = d / 2;
  const rounded = (count: number, spread: number) => {
    const dtype = head.weight.dtype as FloatDType;
    const values = Float32Array.from({ length: count }, (_, i) => spread * Math.sin(1 + i * i));
    return decodeFloat32(dtype, encodeFloats(dtype, values));
  };
  return {
    kept,
    coordinates: order === "random" ? Int32Array.from({ length: kept }, (_, i) => 2 * i + (i % 2)) : undefined,
    projection: order === "random" ? undefined : rounded(kept * d, 1),
    factor: rounded(V * kept, 0.3),
    bias: Float32Array.from({ length: V }, (_, w) => Math.cos(w)),
  };
}

describe("factored heads", () => {
  const heads = ["gpt2", "llama_gqa", "llama_sharded_bf16", "gptj", "gemma2_tight_caps", "granite"];
  test.each(heads.flatMap((name) => [[name, "rotation"] as const, [name, "random"] as const]))(
    "%s, by %s",
    async (name, order) => {
      const model = await load(join("test/goldens/arch", name));
      const reduced = someReduced(model, order);
      const out = join(models.folder, `${name}-${order}`);
      await saveOnnx(model, reduced, out);
      const read = await readOnnxReducedHead(openFolder(out), model);
      expect({ ...read, factor: [...read.factor] }).toEqual({ ...reduced, factor: [...reduced.factor] });
      const { session, logits } = await outputsOf(out);
      const { hidden } = await model.forward(ids);
      expectClose(logits, reducedLogitsOf(model, reduced, hidden));
      await session.release();
    },
  );

  test.each(["gpt2", "llama_gqa", "gptj", "gemma2_tight_caps"])("of two stages, %s", async (name) => {
    const model = await load(join("test/goldens/arch", name));
    for (const order of ["rotation", "random"] as const) {
      const reduced = { ...someReduced(model, order), rescore: 20 };
      const out = join(models.folder, `${name}-${order}-rescored`);
      await saveOnnx(model, reduced, out);
      const read = await readOnnxReducedHead(openFolder(out), model);
      expect(read.rescore).toBe(20);
      const { session, logits } = await outputsOf(out);
      const { hidden } = await model.forward(ids);
      const wanted = await rescoredLogitsOf(model, reduced, hidden);
      expectClose(logits, wanted);
      // What is measured is the same, though it is made with all of E.
      const graph = logitsGraph(await spreadHead(model, reduced));
      const measured = await model.engine.load(graph);
      const feed = { type: "float32" as const, data: hidden, dims: [ids.length, model.hiddenSize] };
      expectClose(float32Output(await measured.run({ hidden: feed }), "logits"), wanted);
      await measured.release();
      await session.release();
      // The folder is a model again, with the same two stages, and is written again as it is.
      const opened = await load(out);
      expect(opened.head.tied).toBe(model.head.tied);
      expectClose((await opened.forward(ids, { logits: true })).logits!, wanted);
      await saveOnnx(opened, {}, `${out}-again`);
      expectClose((await outputsOf(`${out}-again`)).logits, wanted);
      expect(() => requireOneStage(opened, "steered")).toThrow(/two stages .* cannot be steered: start from the model/);
    }
  });
});

test("weights of a large model lie beside the file, and the config says so", async () => {
  const model = await load("test/goldens/arch/llama_gqa");
  const change = await someChange(model);
  const out = join(models.folder, "beside");
  await saveFiles(model, out, () => onnxFiles(model, change, 1000), { changed: false });
  expect(await readdir(join(out, "onnx"))).toEqual(["model.onnx", "model.onnx_data"]);
  const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
  expect(config["transformers.js_config"].use_external_data_format).toEqual({ "model.onnx": 1 });
  await saveOnnx(model, change, join(models.folder, "inside"));
  const [beside, inside] = [await outputsOf(out), await outputsOf(join(models.folder, "inside"))];
  expect(beside.logits).toEqual(inside.logits);
  const read = async (name: string) =>
    bytesOf((await readOnnxHead(openFolder(join(models.folder, name)), model)).weight);
  expect((await read("beside")).equals(await read("inside"))).toBe(true);
});

test("a model without a change is written as it is", async () => {
  const model = await load("test/goldens/arch/llama3_rope_tied");
  const out = join(models.folder, "as-it-is");
  await saveOnnx(model, {}, out);
  expect(JSON.parse(await readFile(join(out, "config.json"), "utf8")).tie_word_embeddings).toBe(true);
  expect((await readOnnxHead(openFolder(out), model)).tied).toBe(true);
  const { session, logits } = await outputsOf(out);
  expectClose(logits, (await model.forward(ids, { logits: true })).logits!);
  await session.release();
});

test("what cannot be written leaves nothing, and a folder that is there stays unless it may be replaced", async () => {
  const model = await load("test/goldens/arch/gpt2");
  const { rows } = await someChange(model);
  const out = join(models.folder, "refused");
  const huge = { ids: rows.ids, values: rows.values.map(() => Number.MAX_VALUE) };
  await expect(saveOnnx(model, { rows: huge }, out)).rejects.toThrow(/row of token id 3: too large/);
  const reduced = someReduced(model, "rotation");
  const wrong = { ...reduced, factor: Float32Array.from(reduced.factor).fill(Number.NaN, 0, 1) };
  await expect(saveOnnx(model, wrong, out)).rejects.toThrow(/"lm_head.factor" would hold NaN/);
  await expect(saveOnnx(model, { rows }, "test/goldens/arch/gpt2/onnx-inside")).rejects.toThrow(/inside one another/);
  expect(await readdir(out).catch(() => [])).toEqual([]);
  await saveOnnx(model, { rows }, out, { files: [["note.txt", "first"]] });
  await expect(saveOnnx(model, { rows }, out)).rejects.toThrow(/is there already/);
  await saveOnnx(model, { rows }, out, { force: true });
  expect(await readdir(out)).not.toContain("note.txt");
  expect((await readdir(models.folder)).filter((name) => name.startsWith("."))).toEqual([]);
});
