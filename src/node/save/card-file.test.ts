import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HeadModel } from "../../model/head/head-model.js";
import { openFolder } from "../files/file-source.js";
import { originalModel } from "./card-file.js";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "unembed-card-"));
  await mkdir(join(home, "models", "mine"), { recursive: true });
});
afterAll(() => rm(home, { recursive: true }));

const named = (name: string) => originalModel({ name, folder: openFolder(join(home, "models", "mine")) } as HeadModel);

test.each([
  ["hf://org/name@main", "org/name"],
  ["org/name@refs/pr/1", "org/name"],
  ["tiny-books", "tiny-books"],
])("the model %s is called %s", async (name, called) => {
  expect(await named(name)).toEqual({ name: called, card: undefined });
});

test("of a folder the card shows its own name and not those above it", async () => {
  expect((await named(join(home, "models", "mine", "/"))).name).toBe("mine");
});

test("a file that is no card by its size is cut, and says so", async () => {
  await writeFile(join(home, "models", "mine", "README.md"), "x".repeat(2 ** 22 + 5));
  const { card } = await named("tiny-books");
  expect(card!.length).toBeLessThan(2 ** 22 + 100);
  expect(card).toMatch(/x\n\n\(Cut here: the file has 4194309 bytes\.\)\n$/);
});
