import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ggufGolden } from "../../test/support/gguf-bytes.js";
import { shardedBytes } from "../../test/support/gguf-shards.js";
import { openGgufFolder } from "../model/gguf/gguf-folder.js";
import { retypedWeight } from "../model/head/retyped-head.js";
import { type Model, openModel } from "../model/model.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { openFolder } from "../node/files/file-source.js";
import { type ByteSource, bytesSource } from "../tensor/byte-source.js";
import { type GgufFile, readGgufFile } from "../tensor/gguf/gguf-file.js";
import { readTensor } from "../tensor/safetensors/safetensors.js";
import { readRows } from "../tensor/tensor-rows.js";
import { editedGguf, type GgufEdit, requirePlace } from "./edited-gguf.js";

const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

async function open(files: Record<string, Uint8Array>): Promise<Model> {
  const openBeside = async (name: string): Promise<ByteSource | undefined> =>
    files[name] && bytesSource(name, files[name]);
  return openModel(await openGgufFolder({ name: "m.gguf", fileName: Object.keys(files)[0]!, openBeside }), engine, "m");
}

async function edited(model: Model, edit: GgufEdit): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const [name, contents] of await editedGguf(model, edit)) {
    const parts: Uint8Array[] = [];
    for await (const part of contents as AsyncIterable<Uint8Array>) parts.push(part);
    files[name] = new Uint8Array(Buffer.concat(parts));
  }
  return files;
}

/** Rows of tokens 3 and 40 that no tensor has yet. */
function change({ hiddenSize: d }: Model) {
  return {
    rows: { ids: Int32Array.of(3, 40), values: Float64Array.from({ length: 2 * d }, (_, i) => Math.sin(i) / 5) },
  };
}

const bytesOf = async ({ tensors }: GgufFile, name: string) => {
  const { source, offset, byteLength } = tensors.get(name)!;
  return Buffer.from(await source.read(offset, byteLength));
};

const goldens = [
  ...["tiny-gpt2-F16", "tiny-gpt2-Q4_0", "tiny-llama-BF16", "tiny-llama-F32", "tiny-llama-Q8_0", "tiny-llama-Q4_1"],
  ...["tiny-llama-Q5_0", "tiny-llama-IQ4_NL", "tiny-llama256-Q2_K", "tiny-llama256-Q3_K", "tiny-llama256-Q4_K_M"],
  "tiny-qwen2-bias-F32",
].map((name) => `${name}.gguf`);

test.each(goldens)("%s: all but the head byte for byte, the other rows of the head too", async (name) => {
  const model = await open({ [name]: ggufGolden(name) });
  const made = (await edited(model, { change: change(model), plan: '{"edits":[]}' }))[name]!;
  const [before, after] = await Promise.all(
    [ggufGolden(name), made].map((bytes) => readGgufFile(bytesSource(name, bytes))),
  );
  expect([...after!.metadata]).toEqual([...before!.metadata, ["unembed.plan", '{"edits":[]}']]);
  const added = before!.tensors.has("output.weight") ? [] : ["output.weight"];
  expect([...after!.tensors.keys()]).toEqual([...before!.tensors.keys(), ...added]);
  for (const tensor of before!.tensors.keys()) {
    if (tensor === "output.weight") continue;
    expect((await bytesOf(after!, tensor)).equals(await bytesOf(before!, tensor))).toBe(true);
  }
  const head = after!.tensors.get("output.weight")!;
  const own = before!.tensors.get("output.weight") ?? before!.tensors.get("token_embd.weight")!;
  expect([head.type, head.shape]).toEqual([own.type, own.shape]);
  const rowBytes = head.byteLength / model.vocabSize;
  const [written, original] = [await bytesOf(after!, "output.weight"), await bytesOf(before!, own.name)];
  for (let id = 0; id < model.vocabSize; id++) {
    const [a, b] = [written, original].map((bytes) => bytes.subarray(id * rowBytes, (id + 1) * rowBytes));
    expect(a!.equals(b!)).toBe(id !== 3 && id !== 40);
  }
  const again = await open({ [name]: made });
  const { values } = change(model).rows;
  const rows = await readRows(again.head.weight, [3, 40]);
  // Half a step of the coarsest type.
  expect(Math.max(...rows.map((value, i) => Math.abs(value - values[i]!)))).toBeLessThan(0.08);
  expect(again.head.tied).toBe(false);
});

test("an edited file that is edited again has one plan, and its head is replaced", async () => {
  const name = "tiny-gpt2-Q4_0.gguf";
  const first = await edited(await open({ [name]: ggufGolden(name) }), { change: {}, plan: "first" });
  const model = await open(first);
  const file = await readGgufFile(
    bytesSource(name, (await edited(model, { change: change(model), plan: "second" }))[name]!),
  );
  expect(file.metadata.get("unembed.plan")).toBe("second");
  expect([...file.tensors.keys()].filter((tensor) => tensor === "output.weight")).toHaveLength(1);
});

test.each(["F32", "F16", "Q8_0"] as const)("the whole head as %s", async (type) => {
  const name = "tiny-llama256-Q4_K_M.gguf";
  const original = await open({ [name]: ggufGolden(name) });
  const model = { ...original, head: { ...original.head, weight: retypedWeight(original.head.weight, type) } };
  const again = await open(await edited(model, { change: change(model) }));
  expect(again.dtype).toBe(type);
  const [before, after] = await Promise.all([original, again].map(({ head }) => readTensor(head.weight)));
  const d = original.hiddenSize;
  let worst = 0;
  for (let i = 0; i < before!.length; i++) {
    const id = Math.floor(i / d);
    if (id !== 3 && id !== 40) worst = Math.max(worst, Math.abs(after![i]! - before![i]!));
  }
  expect(worst).toBeLessThanOrEqual({ F32: 0, F16: 5e-4, Q8_0: 5e-3 }[type]);
  expect([...after!.subarray(3 * d, 4 * d)]).not.toEqual([...before!.subarray(3 * d, 4 * d)]);
});

test("a tied embedding may be changed itself", async () => {
  const name = "tiny-gpt2-Q4_0.gguf";
  const model = await open({ [name]: ggufGolden(name) });
  const made = await edited(model, { change: change(model), keepTied: true });
  const again = await open(made);
  expect(again.head.tied).toBe(true);
  expect(again.tensors.has("lm_head.weight")).toBe(false);
  expect(await readRows(again.description.inputEmbedding, [3])).not.toEqual(
    await readRows(model.description.inputEmbedding, [3]),
  );
});

test("a bias that the file has is replaced", async () => {
  const name = "tiny-qwen2-bias-F32.gguf";
  const model = await open({ [name]: ggufGolden(name) });
  const bias = Float64Array.from({ length: model.vocabSize }, (_, i) => i / 8);
  const again = await open(await edited(model, { change: { bias } }));
  expect([...(await readTensor(again.head.bias!))]).toEqual([...bias]);
});

describe("shards", () => {
  /** The golden in two shards, as gguf-split would make them. */
  async function shards(): Promise<Record<string, Uint8Array>> {
    const source = await readGgufFile(bytesSource("m", ggufGolden("tiny-gpt2-Q4_0.gguf")));
    return shardedBytes(source);
  }

  test("each but the first stays as it is, and all know how many tensors there are", async () => {
    const files = await shards();
    const model = await open(files);
    const whole = await open({ "m.gguf": ggufGolden("tiny-gpt2-Q4_0.gguf") });
    const ids = [1, 2, 3];
    expect((await model.forward(ids)).hidden).toEqual((await whole.forward(ids)).hidden);
    const made = await edited(model, { change: change(model), plan: "p" });
    expect(Object.keys(made)).toEqual(Object.keys(files));
    const counts = [];
    for (const [name, bytes] of Object.entries(made)) {
      const { metadata } = await readGgufFile(bytesSource(name, bytes));
      counts.push(metadata.get("split.tensors.count"));
      expect(metadata.has("unembed.plan")).toBe(name === Object.keys(files)[0]);
    }
    expect(counts).toEqual([29, 29]);
    const again = await open(made);
    expect(again.head.tied).toBe(false);
    expect((await again.forward(ids)).hidden).toEqual((await whole.forward(ids)).hidden);
  });

  test("one that is missing, or out of its place, is named", async () => {
    const files = await shards();
    const [first, second] = Object.keys(files) as [string, string];
    await expect(open({ [first]: files[first]! })).rejects.toThrow(
      `${second}: is missing: ${first} is one of 2 shards`,
    );
    await expect(open({ [first]: files[second]!, [second]: files[first]! })).rejects.toThrow(
      `${first}: metadata "split.no" is 1 where its name says 0`,
    );
    await expect(open({ "alone.gguf": files[first]! })).rejects.toThrow('metadata "split.count" is 2, and 1 are there');
  });
});

describe("refuses", () => {
  let model: Model;
  beforeAll(async () => {
    model = await open({ "m.gguf": ggufGolden("tiny-gpt2-Q4_0.gguf") });
  });

  test("a model that is no GGUF file", async () => {
    const other = await openModel(openFolder("test/goldens/arch/gpt2"), engine, "gpt2");
    expect(() => requirePlace(other, {})).toThrow("gpt2: is no GGUF file, and GGUF is written only of those");
  });

  test("numbers that the type cannot hold, and a bias that has no place", async () => {
    const values = new Float64Array(model.hiddenSize).fill(1e9);
    const tooLarge = { rows: { ids: Int32Array.of(1), values } };
    await expect(editedGguf(model, { change: tooLarge })).rejects.toThrow(
      'm: tensor "output.weight" would hold Infinity in the row of token id 1: too large for Q4_0',
    );
    const bias = new Float64Array(model.vocabSize);
    await expect(editedGguf(model, { change: { bias } })).rejects.toThrow("has no output bias to put one into");
  });
});
