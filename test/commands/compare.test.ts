import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFileSource } from "../../src/node/files/file-source.js";
import { loadModel } from "../../src/node/load-model.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../../src/tensor/safetensors/safetensors.js";
import { unembed, unembedProcess } from "../support/command.js";
import { editedCopy } from "../support/edited-copy.js";

const text = "test/goldens/tiny-books/check.txt";
let folder: string;
let edited: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-compare-cli-"));
  const { rows } = JSON.parse(await readFile("test/goldens/compare.json", "utf8"));
  edited = await editedCopy(join(folder, "edited"), rows, 200);
});
afterAll(() => rm(folder, { recursive: true }));

const compare = (args: string[], input = "") => unembed(["compare", ...args], { input });

test("--json prints what PyTorch says, and run.json and the tensors say the same", async () => {
  const golden = JSON.parse(await readFile("test/goldens/compare.json", "utf8")).edits[1];
  const out = join(folder, "run");
  const { code, stdout, stderr } = await compare([
    ...["tiny-books", edited, "--corpus", text, "--tokens", "2000", "--threads", "2", "--json", "--quiet"],
    ...["--out", out],
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const printed = JSON.parse(stdout);
  expect(printed).toMatchObject({ models: { a: "tiny-books", b: edited }, vocabSize: 8192, contexts: 2000, out });
  expect(printed.kl.mean / golden.kl.mean).toBeCloseTo(1, 4);
  expect(printed.js.percentile95 / golden.js.percentile95).toBeCloseTo(1, 4);
  expect(printed.reverseKl.max / golden.reverseKl.max).toBeCloseTo(1, 4);
  expect(printed.top1Agreement).toBeCloseTo(golden.top1Agreement, 2);
  expect(printed.perplexity.b).toBeCloseTo(golden.perplexity.b, 3);
  expect(printed.movers).toHaveLength(20);
  expect(printed.movers[0]).toMatchObject({ id: 544, token: " am" });

  expect((await readdir(out)).sort()).toEqual(["report.html", "run.json", "tensors.safetensors"]);
  const run = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  expect(run).toMatchObject({ schema: "unembed-run", schemaVersion: 1, kind: "compare", vocabSize: 8192 });
  expect(run.results.kl).toEqual(printed.kl);
  expect(run.results.movers).toEqual(printed.movers);
  expect(run.models.b).toMatchObject({ modelType: "gpt2", hiddenSize: 256, dtype: "F16" });
  const { tensors } = await readSafetensorsHeader(await openFileSource(join(out, "tensors.safetensors")));
  const kl = await readTensorFloat64(tensors.get("kl")!);
  expect(kl.reduce((sum, value) => sum + value, 0) / kl.length / printed.kl.mean).toBeCloseTo(1, 6);
  const [alphaA, alphaB] = await Promise.all(
    ["a", "b"].map((name) => readTensorFloat64(tensors.get(`mean_probability_${name}`)!)),
  );
  expect(alphaA!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
  expect(alphaB![544]! / alphaA![544]!).toBeCloseTo(printed.movers[0].scale, 12);
});

test("documents of JSON lines are read as they are asked to be", async () => {
  const file = join(folder, "documents.jsonl");
  await writeFile(file, `${JSON.stringify({ body: "It was a dark night.", text: "never" })}\n`.repeat(20));
  const run = async (...more: string[]) => {
    const reading = ["--corpus", file, "--field", "body", ...more];
    const { code, stdout } = await compare([
      "tiny-books",
      edited,
      ...reading,
      "--json",
      "--quiet",
      "--out",
      join(folder, `f${more.join("")}`),
    ]);
    expect(code).toBe(0);
    return JSON.parse(stdout).contexts;
  };
  const { length } = (await (await loadModel("tiny-books", { threads: 1 })).tokenizer()).encode("It was a dark night.");
  expect([await run(), await run("--separator", "none"), await run("--separator", ".")]).toEqual([
    20 * length + 19,
    20 * length,
    20 * length + 19,
  ]);
});

test("the table fits 80 columns, whatever the models are called", async () => {
  const out = join(folder, "table");
  const args = [edited, "tiny-books", "--tokens", "300", "--movers", "3", "--out", out];
  const { code, stdout } = await compare([...args, "--corpus", "-"], await readFile(text, "utf8"));
  expect(code).toBe(0);
  expect(stdout).toMatch(/KL\(A \|\| B\) +(0\.\d{3,5}|\d\.\d\de-\d) /);
  const lines = stdout.split("\n").filter((line) => !line.startsWith("run"));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.filter((line) => /^ {2}"/.test(line))).toHaveLength(3);
});

test("Ctrl-C ends it with 130 and leaves nothing", async () => {
  const long = join(folder, "long.txt");
  await writeFile(long, (await readFile("test/goldens/tiny-books/text.txt", "utf8")).repeat(40));
  const out = join(folder, "interrupted");
  const { code, stderr } = await unembedProcess(["compare", "tiny-books", edited, "--corpus", long, "--out", out], {
    interruptWhen: ({ stderr }) => stderr.includes("%"),
  });
  expect(code).toBe(130);
  expect(stderr).toMatch(/%.*\nunembed: interrupted; nothing was written\n$/);
  expect(await readdir(folder)).not.toContain("interrupted");
});

test.each<[string, string[], number, RegExp]>([
  ["one model only", ["tiny-books"], 2, /missing required argument 'model-b'/],
  ["another vocabulary", ["tiny-books", "test/goldens/arch/gpt2"], 1, /gpt2: has 160 rows in E and tiny-books 8192/],
  ["no such model", ["tiny-books", "test/nowhere"], 1, /nowhere/],
  [
    "a separator of several tokens",
    ["tiny-books", "tiny-books", "--separator", "and so on"],
    1,
    /--separator: .* is \d tokens/,
  ],
  ["a context too long", ["tiny-books", "tiny-books", "--context", "300"], 1, /256 positions/],
  ["a file where the folder is to be", ["tiny-books", "tiny-books", "--out", "README.md"], 1, /README\.md: is a file/],
])("%s is refused, and nothing is written", async (_name, args, wanted, message) => {
  const out = join(folder, "refused");
  const { code, stdout, stderr } = await compare(["--corpus", text, "--out", out, ...args]);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: wanted, stdout: "" });
  expect(await readdir(folder)).not.toContain("refused");
});
