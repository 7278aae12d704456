import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Document } from "../../src/corpus/corpus.js";
import { openHiddenStates } from "../../src/corpus/hidden-states.js";
import { parquetDocuments } from "../../src/corpus/parquet/parquet-documents.js";
import { jsonDocuments, jsonLinesDocuments } from "../../src/corpus/text/json-documents.js";
import { textStream } from "../../src/corpus/text/text-stream.js";
import { zstdStream } from "../../src/corpus/text/zstd-stream.js";
import { loadTokenizer } from "../../src/corpus/tokenizer/tokenizer.js";
import { npyDocuments, rawIdDocuments } from "../../src/corpus/tokens/id-files.js";
import { readTokenCounts } from "../../src/dynamics/inputs/token-counts.js";
import { readTrainingLog } from "../../src/dynamics/inputs/training-log.js";
import { processorCapabilities } from "../../src/engine/capabilities.js";
import type { Engine } from "../../src/engine/engine.js";
import { openOnnxWeights } from "../../src/export/onnx-head.js";
import { onnxFiles } from "../../src/export/onnx-model.js";
import { readConfig } from "../../src/model/config.js";
import { type Model, openConfig, openModel } from "../../src/model/model.js";
import { openFolder } from "../../src/node/files/file-source.js";
import { gunzip } from "../../src/node/files/gunzip.js";
import { unbrotli } from "../../src/node/files/unbrotli.js";
import { parseReductionPlan } from "../../src/reduction/plan/plan-files.js";
import { planEdits, readEditPlan } from "../../src/steering/plan/edit-plan.js";
import { readEdits } from "../../src/steering/plan/edits-file.js";
import { type ByteSource, bytesSource, type Folder } from "../../src/tensor/byte-source.js";
import { openCheckpointTensors, readWeightMap } from "../../src/tensor/checkpoint-tensors.js";
import { isFloatDType } from "../../src/tensor/dtype.js";
import { readGgufFile } from "../../src/tensor/gguf/gguf-file.js";
import { readNpyHeader, writeNpy } from "../../src/tensor/npy.js";
import {
  readIntegers,
  readSafetensorsHeader,
  readTensorFloat64,
  type TensorEntry,
} from "../../src/tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../src/tensor/safetensors/write-safetensors.js";
import { parseStrictJson } from "../../src/tensor/strict-json.js";
import { readTorchTensors } from "../../src/tensor/torch/torch-zip.js";
import { locateZipRecord, readZipDirectory } from "../../src/tensor/torch/zip.js";

/** Something that reads bytes from outside, with whole files for it. */
export interface Reader {
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Files that are refused as they are, whose neighbours are tried too. */
  readonly hostile?: Readonly<Record<string, Uint8Array>>;
  /** Where damage goes: the first so many bytes. Default: everywhere. */
  readonly reach?: (file: Uint8Array) => number;
  readonly read: (source: ByteSource) => Promise<unknown>;
}

const golden = (path: string) => new Uint8Array(readFileSync(`test/goldens/${path}`));
const goldens = (names: readonly string[], path: (name: string) => string) =>
  Object.fromEntries(names.map((name) => [name, golden(path(name))]));
const text = (...lines: string[]) => new TextEncoder().encode(lines.join("\n"));
const whole = (source: ByteSource) => source.read(0, source.size);

const numbers = (tensor: TensorEntry) => (isFloatDType(tensor.dtype) ? readTensorFloat64 : readIntegers)(tensor);
async function readAll(tensors: Iterable<TensorEntry>): Promise<void> {
  for (const tensor of tensors) await numbers(tensor);
}

async function* pieces(source: ByteSource, size: number): AsyncGenerator<Uint8Array> {
  const bytes = await whole(source);
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function drain(documents: AsyncIterable<Document>): Promise<void> {
  for await (const document of documents) {
    for await (const _ of "text" in document ? document.text : "ids" in document ? document.ids : []);
  }
}

async function drainBytes(parts: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of parts);
}

/** A zip archive whose checksums are left out, so that damage is not refused for them alone. */
function withoutChecksums(archive: Uint8Array): Uint8Array {
  const bytes = archive.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 20 <= bytes.length; at++) {
    if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 16, 0, true);
  }
  return bytes;
}

const hostile = (name: string) => new Uint8Array(gunzipSync(golden(`hostile/${name}.gz`)));
/** Lists in each other, deeper than JSON.stringify goes. */
const deep = `${"[".repeat(6000)}${"]".repeat(6000)}`;

const noEngine: Engine = {
  threads: 1,
  capabilities: processorCapabilities,
  load: () => Promise.reject(new Error("nothing is to be run here")),
  close: async () => {},
};

/** A golden checkpoint with a tokenizer beside it, and one file of it replaced. */
async function folderWith(changed: Readonly<Record<string, ByteSource>>): Promise<Folder> {
  const inside = await openFolder("test/goldens/arch/gpt2");
  const tokenizer = bytesSource("tokenizer.json", golden("tokenizers/gpt2.json"));
  return {
    name: "model",
    open: async (name) => changed[name] ?? (name === "tokenizer.json" ? tokenizer : inside.open(name)),
  };
}

async function onnxBytes(model: Model): Promise<Uint8Array> {
  const [, contents] = (await onnxFiles(model, {})).find(([name]) => name.endsWith(".onnx"))!;
  const parts: Uint8Array[] = [];
  for await (const part of contents as AsyncIterable<Uint8Array>) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** Every reader of files from outside, by name. */
export async function openReaders(): Promise<Readonly<Record<string, Reader>>> {
  const model = await openModel(await folderWith({}), noEngine, "model");
  const { vocabSize: V, hiddenSize: d } = model;
  const counts = { dtype: "I64" as const, shape: [4], data: BigInt64Array.of(5n, 0n, 12n, 1n) };
  const hidden = { dtype: "F32" as const, shape: [3, d], data: new Float32Array(3 * d).fill(0.5) };
  const ids = { dtype: "U16" as const, shape: [4, 5], data: new Uint16Array(20).fill(7) };
  const reduction = {
    ...{ schema: "unembed-reduction-plan", schemaVersion: 1, vocabSize: V, hiddenSize: d, deleted: d - 2, kept: 2 },
    ...{ order: "rotation", compensate: "least-squares", metric: "fisher", seed: 1, contexts: 100, warnings: [] },
  };
  const f32 = (name: string, shape: number[]) => {
    return { name, dtype: "F32" as const, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
  };
  const arrays = writeSafetensors([f32("factor", [V, 2]), f32("bias", [V]), f32("projection", [2, d])]);
  const json = ['{"text": "one \\u00e9 \\"two\\"", "n": [1, -2.5e3, null]}', '{"n": {"a": true}, "text": "three\\n"}'];
  const log = readFileSync("assets/tiny-books-neox/training-log.jsonl", "utf8").split("\n").slice(0, 20);
  const named = (name: string, read: (source: ByteSource) => Promise<unknown>) => (source: ByteSource) =>
    read({ ...source, name });
  const tokenizers = ["gpt2", "falcon", "llama2", "llama3", "neox", "digits", "unigram", "words", "white-space"];

  return {
    safetensors: {
      files: { gpt2: golden("arch/gpt2/model.safetensors") },
      reach: (file) => 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)),
      read: async (source) => readAll((await readSafetensorsHeader(source)).tensors.values()),
    },
    "shard index": {
      files: { index: text('{"metadata": {"total_size": 9}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.bin"}}') },
      read: readWeightMap,
    },
    shards: {
      files: { index: golden("arch/llama_sharded_bf16/model.safetensors.index.json") },
      read: async (source) => {
        const inside = openFolder("test/goldens/arch/llama_sharded_bf16");
        const open = async (name: string) => (name === "model.safetensors.index.json" ? source : inside.open(name));
        await openCheckpointTensors({ name: source.name, open });
      },
    },
    "adapter's config": {
      files: {},
      hostile: { lora: text('{"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8}') },
      read: (source) =>
        openConfig({ name: source.name, open: async (name) => (name === "adapter_config.json" ? source : undefined) }),
    },
    GGUF: {
      files: goldens(["tiny-llama-Q8_0", "tiny-gpt2-F16"], (name) => `gguf/${name}.gguf`),
      // The header, with its metadata and what it says of the tensors.
      reach: (file) => Math.min(file.length, 20_000),
      read: readGgufFile,
    },
    npy: { files: { counts: writeNpy(counts) }, read: async (source) => numbers(await readNpyHeader(source)) },
    "torch.save": {
      files: Object.fromEntries(
        ["kinds", "kinds_protocol_4", "parameter_with_state"].flatMap((name) => [
          [name, golden(`torch/${name}.bin`)],
          [`${name}, no checksums`, withoutChecksums(golden(`torch/${name}.bin`))],
        ]),
      ),
      read: async (source) => readAll((await readTorchTensors(source)).values()),
    },
    zip: {
      files: { kinds: golden("torch/kinds.bin") },
      read: async (source) => {
        for (const record of (await readZipDirectory(source)).values()) await locateZipRecord(source, record);
      },
    },
    parquet: {
      files: goldens(
        [
          ...["snappy", "small-pages", "zstd-v2", "delta", "delta-length", "dictionary-v2", "gzip", "plain"],
          ...["brotli-v2", "lz4", "checksum", "no-rows", "no-rows-no-type", "nulls-no-type"],
        ],
        (name) => `text-formats/${name}.parquet`,
      ),
      hostile: Object.fromEntries(
        ["delta-lengths", "crc-flipped", "overlap"].map((name) => [name, hostile(`${name}.parquet`)]),
      ),
      read: (source) => drain(parquetDocuments(source, "text", unbrotli)),
    },
    gzip: {
      files: { text: new Uint8Array(gzipSync(golden("tiny-books/check.txt").subarray(0, 2000))) },
      read: (source) => drainBytes(gunzip(source.name, pieces(source, 1000))),
    },
    zstd: {
      files: goldens(["text.txt.zst", "frames.txt.zst"], (name) => `text-formats/${name}`),
      read: (source) => drainBytes(zstdStream(source.name, pieces(source, 1000))),
    },
    "JSON documents": {
      files: { array: text(`[${json.join(", ")}]`) },
      read: (source) => drain(jsonDocuments(source.name, textStream(source.name, pieces(source, 7)), "text")),
    },
    "JSON lines": {
      files: {
        lines: text(...json, ""),
        nan: text('{"text": "a", "n": [NaN, -Infinity]}'),
      },
      hostile: { deep: text(`{"text": ${deep}}`) },
      read: (source) => drain(jsonLinesDocuments(source.name, textStream(source.name, pieces(source, 7)), "text")),
    },
    "JSON lines, a field inside": {
      files: { lines: text('{"a": {"b": "one", "c": 1}}', '{"a": {"b": null}}', '{"a.b": "two"}') },
      read: (source) => drain(jsonLinesDocuments(source.name, textStream(source.name, pieces(source, 7)), "a.b")),
    },
    "strict JSON": {
      files: {
        deep: text(`{"a": ${deep}}`),
        nested: text('{"a": [1, -2.5e3, {"b": null}], "c\\u00e9": "\\ud83d\\ude00", "d": {"e": [[], {}]}}'),
      },
      read: async (source) => parseStrictJson(source.name, "file", await whole(source)),
    },
    tokenizer: {
      files: goldens(tokenizers, (name) => `tokenizers/${name}.json`),
      read: async (source) => {
        const open = async (name: string) => (name === "tokenizer.json" ? source : undefined);
        const tokenizer = await loadTokenizer({ name: source.name, open });
        tokenizer.decode(tokenizer.encode("The quick brown fox\n\n don't 12345 \u4f60\u597d </s>"));
        for (let id = 0; id < Math.min(tokenizer.vocabSize, 100); id++) tokenizer.tokenText(id);
      },
    },
    "token counts, JSON": {
      files: {
        nested: text('{"counts": {"0": 5, "2": 12, "3": 1}}'),
        array: text("[5, 0, 12, 1]"),
      },
      hostile: { deep: text(`[${deep}]`) },
      read: named("counts.json", readTokenCounts),
    },
    "token counts, CSV": {
      files: { headed: text('token,id,count\r\n" a",0,5\r\n"b, ""c""\n",2,12\r\nd,3,1\r\n') },
      read: named("counts.csv", readTokenCounts),
    },
    "token counts, safetensors": {
      files: { named: writeSafetensors([{ name: "token_counts", ...counts }]) },
      read: named("counts.safetensors", readTokenCounts),
    },
    "training log": { files: { lines: text(...log) }, read: readTrainingLog },
    "training log, CSV": {
      files: { wide: text("step,lr,loss,x,y", "0,1e-3,9.5,,", '8,"1e-3",8.25,NaN,1', "16,1e-3,7") },
      read: named("log.csv", readTrainingLog),
    },
    "training log, state": {
      files: {
        state: text(
          '{"global_step": 8, "log_history": [{"step": 0, "loss": 8.3, "grad_norm": NaN}, {"step": 8, "loss": 8}]}',
        ),
      },
      read: named("trainer_state.json", readTrainingLog),
    },
    "ids, npy": { files: { rows: writeNpy(ids) }, read: (source) => drain(npyDocuments(source)) },
    "ids, raw": {
      files: { u16: new Uint8Array(Uint16Array.from({ length: 50 }, (_, i) => i).buffer) },
      read: (source) => drain(rawIdDocuments(source, "uint16")),
    },
    "hidden states": {
      files: { rows: writeSafetensors([{ name: "hidden", ...hidden }]) },
      reach: () => 100,
      read: async (source) => {
        for await (const _ of (await openHiddenStates(source, d)).blocks());
      },
    },
    config: {
      files: { gpt2: golden("arch/gpt2/config.json") },
      hostile: { deep: text(`{"model_type": ${deep}}`) },
      read: async (source) => (await readConfig(source)).string("model_type"),
    },
    "config of a model": {
      files: goldens(["gpt2"], (name) => `arch/${name}/config.json`),
      read: async (source) => openModel(await folderWith({ "config.json": source }), noEngine, source.name),
    },
    "edits, YAML": {
      files: { edits: text('# less\n" the": 0.5\n"/^ (sea|ship)$/": x3\n"@emoji": ban\n') },
      read: named("edits.yaml", readEdits),
    },
    "edits, JSON": {
      files: { edits: text('[{"token": " the", "spec": "x2"}, {"token": "id:3", "spec": 0.5}]') },
      read: named("edits.json", readEdits),
    },
    "steering plan": {
      files: { plan: text(JSON.stringify(await planEdits(model, { "id:40": 0.5, "id:41": "x3" }))) },
      read: (source) => readEditPlan(source, model),
    },
    "reduction plan": {
      files: { plan: text(JSON.stringify(reduction)) },
      read: (source) => parseReductionPlan(source, bytesSource("arrays", arrays), model),
    },
    ONNX: {
      files: { gpt2: await onnxBytes(model) },
      reach: (file) => Math.min(file.length, 4000),
      read: async (source) => {
        const folder: Folder = {
          name: source.name,
          open: async (name) => (name === "onnx/model.onnx" ? source : undefined),
        };
        await readAll((await openOnnxWeights(folder)).values());
      },
    },
  };
}
