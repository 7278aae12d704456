import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { editedGguf, type GgufEdit } from "../../src/export/edited-gguf.js";
import { retypedWeight } from "../../src/model/head/retyped-head.js";
import { type Model, openModel } from "../../src/model/model.js";
import { createEngine } from "../../src/node/engine/onnx-engine.js";
import { openFileSource } from "../../src/node/files/file-source.js";
import { resolveModelFolder } from "../../src/node/hub/model-folder.js";
import { readGgufFile } from "../../src/tensor/gguf/gguf-file.js";
import { readRows } from "../../src/tensor/tensor-rows.js";
import { unembed } from "../support/command.js";
import { shardedBytes } from "../support/gguf-shards.js";
import { hasLlamaCpp, loadInLlamaCpp } from "./llama-cpp.js";

const golden = (name: string) => `test/goldens/gguf/${name}.gguf`;
const families = JSON.parse(await readFile("test/goldens/gguf/families/expected.json", "utf8")) as {
  ids: number[];
  files: Record<string, string>;
};
const ids = [1, 262, 270, 285, 259, 263, 279, 50, 280, 264, 275, 281, 1, 283, 261, 260];
const edited = [265, 270];

const engine = createEngine({ threads: 1 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-llama-"));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

const open = async (file: string): Promise<Model> => openModel(await resolveModelFolder(file), engine, file);

/** Log-probabilities as unembed has them, [ids][V]. */
async function ours(model: Model, text = ids): Promise<Float64Array[]> {
  const { logits } = await model.forward(text, { logits: true });
  return text.map((_, t) => {
    const z = Float64Array.from(logits!.subarray(t * model.vocabSize, (t + 1) * model.vocabSize));
    const normalizer = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
    return z.map((value) => value - normalizer);
  });
}

async function theirs(file: string, vocabSize: number, text = ids): Promise<Float64Array[]> {
  const model = await loadInLlamaCpp(file);
  try {
    return await model.logProbabilities(text, vocabSize);
  } finally {
    await model.close();
  }
}

/** The largest difference between two, over all positions and the tokens that are kept. */
function furthest(a: Float64Array[], b: Float64Array[], keep: (id: number) => boolean): number {
  let worst = 0;
  a.forEach((row, t) => {
    row.forEach((value, id) => {
      if (keep(id)) worst = Math.max(worst, Math.abs(value - b[t]![id]!));
    });
  });
  return worst;
}

/** Log-probabilities of all tokens but the edited ones, among these. */
function others(rows: Float64Array[], changed = edited): Float64Array[] {
  return rows.map((row) => {
    const sum = row.reduce((total, value, id) => (changed.includes(id) ? total : total + Math.exp(value)), 0);
    return row.map((value) => value - Math.log(sum));
  });
}

const isOther = (id: number) => !edited.includes(id);
const isEdited = (id: number) => edited.includes(id);

/** Rows of the edited tokens longer, so that their probabilities move by a factor of ten and more. */
async function longer(model: Model, changed = edited) {
  const values = (await readRows(model.head.weight, changed)).map((value) => value * 1.8);
  return { rows: { ids: Int32Array.from(changed), values } };
}

async function write(model: Model, edit: GgufEdit, name: string): Promise<string> {
  const files = await editedGguf(model, edit);
  const at = files.length > 1 ? join(folder, name) : folder;
  await mkdir(at, { recursive: true });
  const paths = files.map(([file]) => join(at, files.length > 1 ? file : `${name}.gguf`));
  for (const [index, [, contents]] of files.entries()) {
    const parts: Uint8Array[] = [];
    for await (const part of contents as AsyncIterable<Uint8Array>) parts.push(part);
    await writeFile(paths[index]!, Buffer.concat(parts));
  }
  return paths[0]!;
}

describe.skipIf(!hasLlamaCpp)("llama.cpp runs what is written", () => {
  // By how much llama.cpp's own log-probabilities may be off: on a processor it rounds activations to the weights' precision.
  test.each<[name: string, near: number]>([
    ["tiny-llama-F32", 1e-4],
    ["tiny-qwen2-bias-F32", 1e-4],
    ["tiny-gpt2-F16", 0.05],
    ["tiny-llama-BF16", 0.2],
    ["tiny-gpt2-Q4_0", 0.5],
    ["tiny-llama-Q8_0", 0.5],
    ["tiny-llama-Q4_1", 1],
    ["tiny-llama-Q5_0", 1],
    ["tiny-llama-IQ4_NL", 1],
    ["tiny-llama256-Q2_K", 1],
    ["tiny-llama256-Q3_K", 1],
    ["tiny-llama256-Q4_K_M", 1],
  ])("%s: the edited tokens as unembed says, all others as they were", async (name, near) => {
    const model = await open(golden(name));
    const file = await write(model, { change: await longer(model), plan: "{}" }, name);
    const again = await open(file);
    const [before, after] = [await theirs(golden(name), model.vocabSize), await theirs(file, model.vocabSize)];
    const [said, saidBefore] = [await ours(again), await ours(model)];
    expect(furthest(after, said, () => true)).toBeLessThan(near);
    // What the edit did, which rounding of activations moves less than what is.
    const moved = (a: Float64Array[], b: Float64Array[]) =>
      a.map((row, t) => row.map((value, id) => value - b[t]![id]!));
    expect(furthest(moved(after, before), moved(said, saidBefore), isEdited)).toBeLessThan(near);
    expect(furthest(moved(said, saidBefore), moved(saidBefore, saidBefore), isEdited)).toBeGreaterThan(2);
    expect(furthest(others(after), others(before), isOther)).toBeLessThan(1e-5);
  });

  test.each(Object.keys(families.files))(
    "the family %s: read as llama.cpp does, with a head that it takes",
    async (name) => {
      const file = `test/goldens/gguf/families/${name}.gguf`;
      const model = await open(file);
      const changed = [65, 100];
      const before = await theirs(file, model.vocabSize, families.ids);
      expect(furthest(before, await ours(model, families.ids), () => true)).toBeLessThan(0.01);
      const keepTied = ["gemma", "gemma2", "command-r", "cohere2"].includes(name);
      const edit = { change: await longer(model, changed), plan: "{}" };
      if (keepTied)
        await expect(editedGguf(model, edit)).rejects.toThrow("has a tied head, and llama.cpp takes no other");
      const made = await write(model, { ...edit, keepTied }, `family-${name}`);
      const after = await theirs(made, model.vocabSize, families.ids);
      expect(furthest(after, await ours(await open(made), families.ids), () => true)).toBeLessThan(0.01);
      expect(furthest(after, before, (id) => changed.includes(id))).toBeGreaterThan(0.1);
      // Of a tied embedding that was changed itself, what is read of the changed tokens is another; this text has one of them.
      if (!keepTied)
        expect(furthest(others(after, changed), others(before, changed), (id) => !changed.includes(id))).toBeLessThan(
          1e-5,
        );
    },
  );

  test.each(["F32", "F16", "Q8_0"] as const)("a head given the type %s", async (type) => {
    const original = await open(golden("tiny-llama256-Q4_K_M"));
    const model = { ...original, head: { ...original.head, weight: retypedWeight(original.head.weight, type) } };
    const file = await write(model, { change: await longer(original) }, `head-${type}`);
    const after = await theirs(file, model.vocabSize);
    expect(furthest(after, await ours(await open(file)), () => true)).toBeLessThan(1);
    expect(
      furthest(others(after), others(await theirs(golden("tiny-llama256-Q4_K_M"), model.vocabSize)), isOther),
    ).toBeLessThan({ F32: 0.5, F16: 0.5, Q8_0: 0.7 }[type]);
  });

  test("a tied embedding that was changed itself", async () => {
    const model = await open(golden("tiny-gpt2-F16"));
    const file = await write(model, { change: await longer(model), keepTied: true }, "tied");
    expect(furthest(await theirs(file, model.vocabSize), await ours(await open(file)), () => true)).toBeLessThan(0.05);
  });

  test("shards", async () => {
    const source = join(folder, "source");
    await mkdir(source);
    const files = await shardedBytes(await readGgufFile(await openFileSource(golden("tiny-gpt2-Q4_0"))));
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(source, name), bytes);
    const model = await open(join(source, Object.keys(files)[0]!));
    const file = await write(model, { change: await longer(model) }, "shards");
    expect(furthest(await theirs(file, model.vocabSize), await ours(await open(file)), () => true)).toBeLessThan(0.5);
  });

  test("what steer reports is what llama.cpp has", async () => {
    const out = join(folder, "steered.gguf");
    const small = ["--tokens", "400", "--context", "32", "--check-tokens", "100", "--probes", "60", "--threads", "1"];
    const args = ["--edit", "id:265=x0.25", "id:270=x4", "id:285=ban", ...small, "--out", out, "--json", "--quiet"];
    const { code, stderr } = await unembed(["steer", golden("tiny-llama-F32"), ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { measured } = JSON.parse(await readFile(join(folder, "steered.report", "unembed.json"), "utf8"));
    const banned = measured.edits[2];
    const model = await open(out);
    const after = await theirs(out, model.vocabSize);
    expect(furthest(after, await ours(model), () => true)).toBeLessThan(1e-4);
    for (const row of after) expect(Math.exp(row[285]!)).toBeLessThanOrEqual(banned.bound.probability);
    const before = await theirs(golden("tiny-llama-F32"), model.vocabSize);
    const mean = (rows: Float64Array[], id: number) =>
      rows.reduce((sum, row) => sum + Math.exp(row[id]!), 0) / rows.length;
    // Other text than the targets hold on: by about as much.
    expect(mean(after, 265) / mean(before, 265)).toBeLessThan(0.5);
    expect(mean(after, 270) / mean(before, 270)).toBeGreaterThan(2);
  });

  test("texts become the same ids", async () => {
    for (const name of ["tiny-gpt2-F16", "tiny-llama-F32"]) {
      const tokenizer = await (await open(golden(name))).tokenizer();
      const llama = await loadInLlamaCpp(golden(name));
      for (const text of [
        "The old man",
        " a  b\n\nc",
        "caf\u00e9 \u65e5\u672c \u{1f642}\u200d",
        "x1,234.50 it's",
        "\t\r\n ",
      ]) {
        expect(tokenizer.encode(text)).toEqual(llama.tokenize(text));
      }
      for (const text of ["a</s>b <s>c", "a<|endoftext|> b"]) {
        expect(tokenizer.encode(text)).toEqual(llama.tokenize(text, true));
      }
      await llama.close();
    }
  });
});
