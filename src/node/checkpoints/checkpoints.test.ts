import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoints } from "./checkpoints.js";

const steps = "assets/tiny-books-neox/steps";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-checkpoints-"));
  await cp(`${steps}/step8`, join(folder, "nameless"), { recursive: true });
  await cp(`${steps}/step8`, join(folder, "run-7b", "checkpoint-8"), { recursive: true });
  await cp(`${steps}/step16`, join(folder, "run-7b", "checkpoint-16"), { recursive: true });
  await mkdir(join(folder, "run-7b", "logs-2024"));
});
afterAll(() => rm(folder, { recursive: true }));

const found = async (...patterns: string[]) =>
  (await openCheckpoints(patterns)).checkpoints.map(({ step }) => step).sort((a, b) => a - b);

test("takes folders, folders of folders, braces, globs, and a mix", async () => {
  expect(await found(`${steps}/step32`)).toEqual([32]);
  expect(await found(steps)).toHaveLength(16);
  expect(await found(`${steps}/step{0,1,2,...,8}`)).toEqual([0, 1, 2, 4, 8]);
  expect(await found(`${steps}/step?`)).toEqual([0, 1, 2, 4, 8]);
  expect(await found(join(folder, "run-7b"), `${steps}/step{1,2}/`)).toEqual([1, 2, 8, 16]);
});

test("finds the tokenizer beside the checkpoints, two folders up at most", async () => {
  const beside = await openCheckpoints([`${steps}/step{0,8}`]);
  expect((await beside.tokenizerFolder())?.name).toBe("assets/tiny-books-neox");
  expect(await (await openCheckpoints([join(folder, "run-7b")])).tokenizerFolder()).toBeUndefined();
  expect(beside.fetched()).toBeUndefined();
});

test("opens the output embedding alone, by the name given", async () => {
  const { checkpoints } = await openCheckpoints([`${steps}/step8`], { tensor: "embed_out.weight" });
  expect(await checkpoints[0]!.outputEmbedding()).toMatchObject({ name: "embed_out.weight", shape: [4096, 128] });
  const other = await openCheckpoints([`${steps}/step8`], { tensor: "wte" });
  await expect(other.checkpoints[0]!.outputEmbedding()).rejects.toThrow(/step8: has no tensor "wte"/);
});

test.each<[string, () => string[], RegExp]>([
  ["a missing step", () => [`${steps}/step{0,3}`], /step3: there is no such folder \(.*step0 is there\)/],
  ["a missing folder", () => ["./nowhere/step1"], /there is no such folder/],
  ["no step in the name", () => [join(folder, "nameless")], /nameless: has no training step in its name/],
  ["no weights", () => [join(folder, "run-7b", "logs-2024")], /has no weights .* and no folders of steps/],
  ["a glob that matches nothing", () => [`${steps}/stop*`], /stop\*: matches no folder/],
  ["a file", () => ["README.md"], /is a file where the folder of a model, or a .gguf file, is wanted/],
  ["nothing", () => [], /none is given/],
])("refuses %s", async (_name, patterns, message) => {
  await expect(openCheckpoints(patterns())).rejects.toThrow(message);
});
