import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSafetensors } from "../../src/tensor/safetensors/write-safetensors.js";
import { unembed } from "../support/command.js";
import { smallBooks } from "../support/small-books.js";

let place: string;
let model: string;
const at = (name: string) => join(place, name);
const parts = 3;

/** The analysis of one part, of 16-token windows so that a short text has several blocks of 64. */
const part = (k: number, ...more: string[]) =>
  unembed(["analyze", model, "--corpus", at("tokens"), "--part", `${k}/${parts}`, "--parts", at("parts"), ...more]);
const merge = (out: string, ...more: string[]) =>
  unembed(["analyze", model, "--merge", at("parts"), "--out", at(out), "--quiet", ...more]);

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "unembed-parts-"));
  model = await smallBooks(at("model"));
  const text = "assets/corpus/books-heldout.txt";
  const written = await unembed([
    ...["tokenize", model, "--corpus", text, "--tokens", "4500", "--context", "16", "--out", at("tokens"), "--json"],
  ]);
  expect(JSON.parse(written.stdout)).toEqual({
    ...{ ids: 4500, tokens: 4500, windows: 282, contextLength: 16, beginOfText: false, dtype: "uint16", shards: 1 },
    out: at("tokens"),
  });
});
afterAll(() => rm(place, { recursive: true }));

test("parts computed in any order, on any number of threads, add up to the bits of one run", async () => {
  const whole = await unembed(["analyze", model, "--corpus", at("tokens"), "--out", at("whole"), "--quiet"]);
  expect(whole.code).toBe(0);
  const [last] = [await part(3, "--json", "--threads", "1"), await part(1, "--quiet", "--threads", "2")];
  expect(JSON.parse(last.stdout)).toEqual({
    path: at("parts/part-0003-of-0003.safetensors"),
    ...{ part: 3, parts: 3, windows: { first: 192, end: 282, all: 282 }, contexts: 4500 - 192 * 16, found: false },
  });
  const early = await merge("early");
  expect([early.code, early.stderr]).toEqual([1, `unembed: ${at("parts")}: part 2 of 3 is missing\n`]);
  expect(await readdir(place)).not.toContain("early");

  await part(2);
  expect(JSON.parse((await part(2, "--json")).stdout)).toMatchObject({ found: true });
  await copyFile(at("parts/part-0002-of-0003.safetensors"), at("parts/again.safetensors"));
  expect((await merge("merged")).code).toBe(0);
  for (const file of ["tensors.safetensors", "tokens.csv"]) {
    expect((await readFile(at(`merged/${file}`))).equals(await readFile(at(`whole/${file}`)))).toBe(true);
  }
  const [one, other] = await Promise.all(
    ["whole", "merged"].map(async (run) => JSON.parse(await readFile(at(`${run}/run.json`), "utf8"))),
  );
  expect({ ...other, asked: 0, made: 0 }).toEqual({ ...one, asked: 0, made: 0 });
});

test("what is not a part of the same is refused, and what is damaged is computed again", async () => {
  const path = at("parts/part-0002-of-0003.safetensors");
  const good = await readFile(path);
  const other = await unembed(["analyze", "--merge", at("parts"), "--out", at("other"), "--quiet"]);
  expect(other.stderr).toMatch(/part-0001-of-0003\.safetensors: is of another model\n$/);

  await writeFile(at("parts/odd.safetensors"), writeSafetensors([], { part: "{}" }));
  expect((await merge("odd")).stderr).toMatch(/odd\.safetensors: metadata "part", field "identity" cannot be used/);
  await rm(at("parts/odd.safetensors"));
  const shorter = await part(2, "--tokens", "4000", "--quiet");
  expect([shorter.code, shorter.stderr]).toEqual([1, `unembed: ${path}: is of another share of the text\n`]);

  await rm(at("parts/again.safetensors"));
  const flipped = Buffer.from(good);
  flipped[flipped.length - 100]! ^= 1;
  for (const damaged of [flipped, good.subarray(0, good.length - 1)]) {
    await writeFile(path, damaged);
    expect(await merge("damaged")).toMatchObject({ code: 1, stderr: expect.stringMatching(/part-0002-of-0003/) });
  }
  expect((await part(2, "--quiet")).code).toBe(0);
  expect((await readFile(path)).equals(good)).toBe(true);
});

test("options that contradict one another are named", async () => {
  const cases: [string[], string][] = [
    [["--part", "1/2"], "--part: needs --parts"],
    [["--part", "1/2", "--parts", at("p")], "--part: needs --corpus"],
    [["--part", "3/2"], "k/n is wanted"],
    [["--parts", at("p")], "--parts: needs --part"],
    [["--merge", at("p"), "--tokens", "5"], "--tokens: is of a text"],
    [["--merge", at("p"), "--part", "1/2"], "--merge: adds up parts"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await unembed(["analyze", model, ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
  const plain = ["--corpus", "assets/corpus/speeches.txt", "--part", "1/2", "--parts", at("p")];
  const { code, stderr } = await unembed(["analyze", model, ...plain]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("write its ids with unembed tokenize")]);
});
