import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AutoTokenizer, env } from "@huggingface/transformers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readIdMap } from "../../src/model/id-map.js";
import { openFolder } from "../../src/node/files/file-source.js";
import { loadModel } from "../../src/node/load-model.js";
import { unembed } from "../support/command.js";
import { smallBooks } from "../support/small-books.js";

let folder: string;
let model: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-trim-"));
  model = await smallBooks(at("books"));
  // What a checkpoint of the hub has besides.
  await writeFile(join(model, "README.md"), "---\nlicense: mit\n---\n# Books\n");
  const tokenizer = JSON.parse(await readFile(join(model, "tokenizer.json"), "utf8"));
  await writeFile(join(model, "vocab.json"), JSON.stringify(tokenizer.model.vocab));
  const lines = tokenizer.model.merges.map((merge: string | string[]) => [merge].flat().join(" "));
  await writeFile(join(model, "merges.txt"), `#version: 0.2\n${lines.join("\n")}\n`);
  const generation = { bos_token_id: 0, eos_token_id: [0, 700], suppress_tokens: [1000], temperature: 1.0 };
  await writeFile(
    join(model, "generation_config.json"),
    JSON.stringify(generation).replace('"temperature":1', '"temperature":1.0'),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const small = ["--tokens", "2000", "--check-tokens", "600", "--threads", "1"];
const trim = (...args: string[]) => unembed(["trim", model, ...small, ...args]);

test("the most used tokens stay, under new ids, and everything follows", async () => {
  const out = at("600");
  const { code, stdout, stderr } = await trim(
    "--max-vocab",
    "600",
    "--pad-to",
    "64",
    "--out",
    out,
    "--json",
    "--quiet",
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const printed = JSON.parse(stdout);
  expect(printed).toMatchObject({ vocabSize: { before: 1024, after: 640 }, kept: { tokens: 600 }, out });
  expect(printed.bytes.head).toEqual({ before: 1024 * 64 * 2, after: 640 * 64 * 2 });
  expect(printed.bytes.model.before - printed.bytes.model.after).toBe(384 * 64 * 2);
  const { removedMass, kl, perplexityPerByte, tokensPerByte } = printed.check;
  expect(removedMass.mean).toBeGreaterThan(0);
  expect(removedMass.mean).toBeLessThanOrEqual(removedMass.percentile95);
  expect(kl).toBeGreaterThanOrEqual(-Math.log1p(-removedMass.mean));
  expect(tokensPerByte.after).toBeGreaterThan(tokensPerByte.before);
  expect(perplexityPerByte.after).toBeGreaterThan(1);
  expect(printed.proof.logitDifference).toBeLessThan(1e-5);
  expect(printed.proof.sameTokens).toBeGreaterThan(0);

  const oldIds = (await readIdMap(openFolder(out)))!;
  expect(oldIds).toHaveLength(600);
  const [before, after] = [await loadModel(model, { threads: 1 }), await loadModel(out, { threads: 1 })];
  try {
    const [own, cut] = [await before.tokenizer(), await after.tokenizer()];
    for (const [id, old] of oldIds.entries()) expect(cut.entry(id)).toBe(own.entry(old));
    const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
    expect(config).toMatchObject({ vocab_size: 640, tie_word_embeddings: true, bos_token_id: 0 });
    const generation = await readFile(join(out, "generation_config.json"), "utf8");
    expect(generation).toContain('"temperature":1.0');
    const parsed = JSON.parse(generation);
    expect(parsed.eos_token_id.map((id: number) => oldIds[id])).toEqual([0, 700]);
    expect(parsed.suppress_tokens.map((id: number) => oldIds[id])).toEqual([1000]);
    const vocab = JSON.parse(await readFile(join(out, "vocab.json"), "utf8"));
    expect(vocab).toEqual(JSON.parse(await readFile(join(out, "tokenizer.json"), "utf8")).model.vocab);
    const merges = (await readFile(join(out, "merges.txt"), "utf8")).trim().split("\n");
    expect(merges[0]).toBe("#version: 0.2");
    for (const merge of merges.slice(1)) expect(vocab).toHaveProperty([merge.replace(" ", "")]);

    // Whole texts in transformers.js, with both.
    env.allowRemoteModels = false;
    const other = await AutoTokenizer.from_pretrained(out);
    const mixed = " the lord said: £5 café 日本語 🙂\n\tx = [1, 2]; привет";
    expect(cut.encode(mixed)).toEqual(other.encode(mixed));
    expect(cut.decode(cut.encode(mixed))).toBe(mixed);
  } finally {
    await Promise.all([before.close(), after.close()]);
  }
  expect(await readFile(join(out, "README.md"), "utf8")).toMatch(
    /license: mit[\s\S]*Token ids are not those of the original[\s\S]*# Books/,
  );
  expect(await readFile(join(out, "report.html"), "utf8")).toContain("Trimming of the vocabulary");
  expect((await readdir(out)).filter((name) => name.startsWith("."))).toEqual([]);

  const compared = await unembed([
    ...["compare", model, out, "--tokens", "400", "--threads", "1", "--json", "--quiet", "--out", at("compared")],
  ]);
  expect(JSON.parse(compared.stdout)).toMatchObject({ vocabSize: 600, kl: { max: 0 }, top1Agreement: 1 });
  // Whatever is made of the trimmed model still knows the original's ids.
  expect((await unembed(["export", out, "--format", "safetensors", "--out", at("again"), "--quiet"])).code).toBe(0);
  expect(await readIdMap(openFolder(at("again")))).toEqual(oldIds);
});

test("a plan gives the same tokens again, as ONNX too; without padding it is the original renormalised", async () => {
  const plan = at("plan.json");
  const dry = await trim("--keep-mass", "0.97", "--dry-run", "--save-plan", plan, "--json", "--quiet");
  expect(dry.code).toBe(0);
  const chosen = JSON.parse(dry.stdout);
  expect(chosen).toMatchObject({ out: null, proof: null });
  expect(chosen.removed.mass).toBeLessThanOrEqual(0.03);
  const out = at("onnx");
  const { code, stdout } = await trim("--plan", plan, "--format", "onnx", "--out", out);
  expect(code).toBe(0);
  expect(stdout).toContain(`${chosen.kept.tokens} of 1,024 tokens stay`);
  expect((await readdir(out)).filter((name) => /onnx|safetensors/.test(name))).toEqual(["id-map.safetensors", "onnx"]);
  const generated = await unembed([
    "generate",
    out,
    "--prompt",
    " the",
    "--max-tokens",
    "3",
    "--json",
    "--threads",
    "1",
  ]);
  expect(generated.code).toBe(0);
});

test("texts, lists and sets say what stays, and what they are built from stays with them", async () => {
  await writeFile(at("list.txt"), " the\nid:900\n/^ [a-z]{2}$/\n");
  await writeFile(at("text.txt"), "the man and the sea and the man");
  for (const [args, stays, goes] of [
    [["--keep-list", at("list.txt")], 900, 901],
    [["--drop", "id:900", "--drop", "id:901"], 902, 900],
    [["--keep-text", "@text"], 261, 900],
  ] as const) {
    const { code, stdout, stderr } = await trim(
      ...args.map((arg) => (arg === "@text" ? at("text.txt") : arg)),
      "--dry-run",
      "--save-plan",
      at("one.json"),
      "--json",
      "--quiet",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout).vocabSize.after).toBeLessThan(1024);
    const { kept } = JSON.parse(await readFile(at("one.json"), "utf8"));
    const has = (id: number) => kept.some(([first, last]: [number, number]) => first <= id && id <= last);
    expect(has(stays)).toBe(true);
    if (goes !== undefined) expect(has(goes)).toBe(false);
    expect(Array.from({ length: 257 }, (_, id) => has(id))).not.toContain(false);
  }
});

test("a row of padding that a config names stays, after all tokens, and its id follows", async () => {
  const padded = await smallBooks(at("padded"));
  const tokenizer = JSON.parse(await readFile(join(padded, "tokenizer.json"), "utf8"));
  const { vocab, merges } = tokenizer.model;
  const first = Object.fromEntries(Object.entries<number>(vocab).filter(([, id]) => id < 1000));
  tokenizer.model = { ...tokenizer.model, vocab: first, merges: merges.slice(0, 1000 - 257) };
  await writeFile(join(padded, "tokenizer.json"), JSON.stringify(tokenizer));
  await writeFile(join(padded, "generation_config.json"), '{"pad_token_id":1010,"eos_token_id":0}');
  const args = ["trim", padded, ...small, "--drop", "id:900", "--pad-to", "64", "--out", at("unpadded"), "--quiet"];
  expect(await unembed(args)).toMatchObject({ code: 0, stderr: "" });
  const generation = JSON.parse(await readFile(join(at("unpadded"), "generation_config.json"), "utf8"));
  expect(generation).toEqual({ pad_token_id: 999, eos_token_id: 0 });
  expect([...(await readIdMap(openFolder(at("unpadded"))))!].slice(-2)).toEqual([999, 1010]);
  const compare = ["compare", padded, at("unpadded"), "--tokens", "200", "--threads", "1", "--json", "--quiet"];
  const compared = await unembed([...compare, "--out", at("compared padded")]);
  expect(JSON.parse(compared.stdout)).toMatchObject({ vocabSize: 999, top1Agreement: 1 });
});

test("a vocab.json that is none is refused by its name", async () => {
  const broken = await smallBooks(at("broken"));
  await writeFile(join(broken, "vocab.json"), "null");
  const args = ["trim", broken, ...small, "--drop", "id:900", "--out", at("never"), "--quiet"];
  const { code, stderr } = await unembed(args);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/vocab\.json: is no object of ids/) });
});

test.each([
  ["no amount", [], 2, /one of --keep-text, --max-vocab/],
  ["two amounts", ["--max-vocab", "600", "--keep-mass", "0.9"], 2, /one of --keep-text/],
  ["a share above 1", ["--keep-mass", "1.5"], 2, /--keep-mass: is 1.5/],
  ["fewer tokens than always stay", ["--max-vocab", "100"], 1, /--max-vocab: is 100; \d+ tokens always stay/],
  ["as many as there are", ["--max-vocab", "1024"], 1, /nothing is to be trimmed/],
  ["a token that does not exist", ["--drop", "id:5000"], 1, /token "id:5000": does not exist/],
  ["no such list", ["--keep-list", "nowhere.txt"], 1, /nowhere\.txt/],
  ["an empty text", ["--keep-text", "/dev/null"], 1, /\/dev\/null/],
  ["token ids to measure on", ["--max-vocab", "600", "--check", "@ids"], 1, /is token ids; text is wanted/],
  ["a plan for another model", ["--plan", "@plan"], 1, /field vocabulary/],
] as const)("%s: one clear line, and nothing is written", async (_, args, code, message) => {
  await writeFile(at("ids.bin"), new Uint16Array(400));
  await writeFile(at("bad.json"), '{"schema":"unembed-trim-plan","schemaVersion":1,"vocabSize":1024,"kept":[[0,3]]}');
  const given = args.map((arg) => ({ "@ids": at("ids.bin"), "@plan": at("bad.json") })[arg as string] ?? arg);
  const extra = args.includes("@ids" as never)
    ? ["--token-dtype", "uint16", "--corpus", "assets/corpus/books-fit.txt"]
    : [];
  const found = await trim(...given, ...extra, "--out", at("never"), "--quiet");
  expect({ code: found.code, stdout: found.stdout }).toEqual({ code, stdout: "" });
  expect(found.stderr).toMatch(message);
  expect(found.stderr.trim().split("\n")).toHaveLength(1);
  expect((await readdir(folder)).filter((name) => name.includes("never"))).toEqual([]);
});
