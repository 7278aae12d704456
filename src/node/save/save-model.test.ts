import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { movedRows, untied, writtenModels } from "../../../test/support/written-models.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { encodeFloats, type FloatDType } from "../../tensor/dtype.js";
import { readTensor, type TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { openFolder } from "../files/file-source.js";
import { saveModel } from "./save-model.js";

const models = writtenModels();
const { load } = models;

const hash = async ({ source, offset, byteLength }: TensorEntry) =>
  createHash("sha256")
    .update(await source.read(offset, byteLength))
    .digest("hex");

const goldens = readdirSync("test/goldens/arch");

describe("every architecture", () => {
  test.each(goldens)("%s is written with another head and nothing else", async (name) => {
    const source = join("test/goldens/arch", name);
    const model = await load(source);
    const rows = await movedRows(model);
    const out = join(models.folder, name);
    await saveModel(model, { rows }, out);
    const edited = await load(out);
    expect(edited.head.tied).toBe(false);
    expect(edited.head.weight.dtype).toBe(model.head.weight.dtype);
    const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
    expect(config).toEqual(untied(JSON.parse(await readFile(join(source, "config.json"), "utf8"))));

    const before = await openCheckpointTensors(openFolder(source));
    const after = await openCheckpointTensors(openFolder(out));
    expect(new Set(after.keys())).toEqual(new Set([...before.keys(), edited.headName]));
    for (const [tensor, entry] of before) {
      if (tensor !== edited.headName) expect(await hash(after.get(tensor)!), tensor).toBe(await hash(entry));
    }

    // The logits of all other tokens stay, bit for bit; the two rows' are those of the moved rows.
    const ids = Array.from({ length: 12 }, (_, i) => (i * 7) % model.vocabSize);
    const original = await model.forward(ids, { logits: true });
    const changed = await edited.forward(ids, { logits: true });
    expect(changed.hidden).toEqual(original.hidden);
    const V = model.vocabSize;
    const others = changed.logits!.filter((value, at) => value !== original.logits![at] && ![3, 17].includes(at % V));
    expect(others).toHaveLength(0);
    const e = await readTensor(edited.head.weight);
    const moved = encodeFloats(edited.head.weight.dtype as FloatDType, rows.values);
    const stored = encodeFloats(
      edited.head.weight.dtype as FloatDType,
      Float64Array.from([
        ...e.subarray(3 * model.hiddenSize, 4 * model.hiddenSize),
        ...e.subarray(17 * model.hiddenSize, 18 * model.hiddenSize),
      ]),
    );
    expect(stored).toEqual(moved);
    expect(changed.logits![3]).not.toBe(original.logits![3]);
  });
});

test("an existing folder is left alone unless it may be replaced, and then it is replaced as a whole", async () => {
  const model = await load("test/goldens/arch/gpt2");
  const out = join(models.folder, "twice");
  const rows = await movedRows(model);
  await saveModel(model, { rows }, out, { files: [["note.txt", "first"]] });
  await expect(saveModel(model, { rows }, out)).rejects.toThrow(/is there already/);
  await saveModel(model, { rows }, out, { force: true });
  expect(await readdir(out)).not.toContain("note.txt");
  expect(await readFile(join(out, "README.md"), "utf8")).toContain("\n# gpt2, changed with unembed\n");
  expect((await readdir(models.folder)).filter((name) => name.startsWith("."))).toEqual([]);
});

test("what looks at the folder before it has its name adds to it, or stops it all", async () => {
  const model = await load("test/goldens/arch/gpt2");
  const rows = await movedRows(model);
  const place = await mkdtemp(join(models.folder, "examined-"));
  const out = join(place, "out");
  const stop = async (staged: string) => {
    expect(await readdir(staged)).toContain("model.safetensors");
    throw new Error("stopped");
  };
  await expect(saveModel(model, { rows }, out, { examine: stop })).rejects.toThrow("stopped");
  expect(await readdir(place)).toEqual([]);
  await saveModel(model, { rows }, out, { examine: async () => [["found.txt", "first"]] });
  const found = () => readFile(join(out, "found.txt"), "utf8");
  expect(await found()).toBe("first");
  // The new folder cannot take the name: the old one is given it back.
  const lose = async (staged: string) => {
    await rm(staged, { recursive: true });
    return [];
  };
  await expect(saveModel(model, { rows }, out, { force: true, examine: lose })).rejects.toThrow();
  expect([await readdir(place), await found()]).toEqual([["out"], "first"]);
  const aborted = AbortSignal.abort(new Error("aborted"));
  await expect(saveModel(model, { rows }, out, { force: true, signal: aborted })).rejects.toThrow("aborted");
  expect([await readdir(place), await found()]).toEqual([["out"], "first"]);
});

test("a folder that holds no model is not replaced", async () => {
  const model = await load("test/goldens/arch/gpt2");
  const rows = await movedRows(model);
  const home = await mkdtemp(join(models.folder, "home-"));
  await writeFile(join(home, "letter.txt"), "dear");
  await expect(saveModel(model, { rows }, home, { force: true })).rejects.toThrow(/holds no model/);
  await expect(saveModel(model, { rows }, join(home, "letter.txt"), { force: true })).rejects.toThrow(/is a file/);
  expect(await readdir(home)).toEqual(["letter.txt"]);
});

test("what cannot be held is refused, and nothing is written", async () => {
  const own = join(models.folder, "own");
  await cp("test/goldens/arch/gpt2", own, { recursive: true });
  const model = await load(own);
  const { ids, values } = await movedRows(model);
  const out = join(models.folder, "refused");
  await expect(saveModel(model, { rows: { ids, values } }, join(own, "edited"))).rejects.toThrow(/inside one another/);
  await expect(saveModel(model, { rows: { ids, values } }, models.folder, { force: true })).rejects.toThrow(/inside/);
  const huge = values.map(() => Number.MAX_VALUE);
  await expect(saveModel(model, { rows: { ids, values: huge } }, out)).rejects.toThrow(/row of token id 3: too large/);
  const bias = new Float64Array(model.vocabSize);
  await expect(saveModel(model, { bias }, out)).rejects.toThrow(/has no output bias/);
  expect(await readdir(out).catch(() => [])).toEqual([]);
});
