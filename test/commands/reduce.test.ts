import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFileSource } from "../../src/node/files/file-source.js";
import { readSafetensorsHeader, readTensor } from "../../src/tensor/safetensors/safetensors.js";
import { unembed, unembedProcess } from "../support/command.js";
import { smallBooks } from "../support/small-books.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-reduce-"));
  await smallBooks(at("books"));
});
afterAll(() => rm(folder, { recursive: true }));

// One thread: another test file runs beside this one.
const small = ["--tokens", "700", "--check-tokens", "256", "--threads", "1"];
const reduce = (...args: string[]) => unembed(["reduce", ...small, ...args]);
/** A small vocabulary, where what is asserted does not need a large one. */
const reduceBooks = (...args: string[]) => unembed(["reduce", at("books"), ...small, ...args]);

test("the paper's deletion is written as zero columns, read back, measured, and reported", async () => {
  const out = at("zeros");
  const paper = ["--order", "saliency", "--compensate", "none", "--fraction", "0.3"];
  const { code, stdout, stderr } = await reduce(...paper, "--out", out, "--json", "--quiet");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const printed = JSON.parse(stdout);
  expect(printed).toMatchObject({ deleted: 77, kept: 179, order: "saliency", compensate: "none", out });
  for (const text of ["fit", "check"]) {
    expect(Object.keys(printed.measures[text])).toEqual(["kl", "js", "top1", "perplexity"]);
    expect(printed.measures[text].kl).toBeGreaterThan(0.1);
  }
  const { tensors } = await readSafetensorsHeader(await openFileSource(join(out, "model.safetensors")));
  const head = tensors.get("lm_head.weight")!;
  const e = await readTensor(head);
  const empty = Array.from({ length: 256 }, (_, i) => i).filter((i) => !e.some((v, n) => n % 256 === i && v !== 0));
  expect([head.dtype, empty.length]).toEqual(["F16", 77]);

  const record = JSON.parse(await readFile(join(out, "unembed.json"), "utf8"));
  const coordinates = new Set(record.plan.coordinates);
  expect(empty.filter((i) => coordinates.has(i))).toEqual([]);
  expect(record.measured).toEqual(printed);
  const run = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  expect(run).toMatchObject({
    schema: "unembed-run",
    kind: "reduce",
    corpus: { contexts: { fit: 700, check: 256 } },
  });
  expect(run.results.measures.check.kl.mean).toBe(printed.measures.check.kl);
  // What is said of the folder's size is what lies there: as E was tied, a second matrix of 8192 x 256 in float16.
  const { tensors: original } = await readSafetensorsHeader(
    await openFileSource("assets/tiny-books/model.safetensors"),
  );
  const sum = (all: typeof tensors) => [...all.values()].reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  expect(printed.bytes.written).toEqual({ before: sum(original), after: sum(tensors) });
  expect(printed.bytes.written.after - printed.bytes.written.before).toBe(8192 * 256 * 2);
  expect(printed.bytes.safetensors.model).toEqual(printed.bytes.written);
  expect(await readFile(join(out, "report.html"), "utf8")).toContain("Deleting 30% of the head");
  expect(await readFile(join(out, "README.md"), "utf8")).toContain("77 of the 256 dimensions of the output embedding");

  // The folder is a model: compared with the original it moves as measured.
  const text = ["--corpus", "assets/corpus/books-heldout.txt", "--tokens", "256"];
  const compared = await unembed([
    ...["compare", "tiny-books", out, ...text, "--out", at("compared"), "--json", "--quiet"],
  ]);
  expect(JSON.parse(compared.stdout).kl.mean / printed.measures.check.kl).toBeCloseTo(1, 4);
});

test("a rotation: the exact form and the factored one do the same", async () => {
  const asked = ["--fraction", "0.5", "--json", "--quiet", "--out"];
  const exact = await reduce(...asked, at("exact"));
  const factored = await reduce(...asked, at("factored"), "--format", "onnx");
  const [one, other] = [JSON.parse(exact.stdout), JSON.parse(factored.stdout)];
  expect(one).toMatchObject({ deleted: 128, order: "rotation" });
  expect(one.warnings.join()).toContain("along the constant direction");
  expect(Math.abs(Math.log(other.measures.check.kl / one.measures.check.kl))).toBeLessThan(0.02);
  expect(other.bytes.head.after).toBeLessThan(0.6 * other.bytes.head.before);
  // E' is stored as float32 there: the bias along a direction that is long.
  expect(one.bytes.written.after - one.bytes.written.before).toBe(8192 * 256 * 4);
  expect(one.bytes.safetensors.model).toEqual(one.bytes.written);
  expect(other.bytes.written.after / other.bytes.model.after).toBeCloseTo(1, 3);
  for (const name of ["head", "model", "safetensors"]) expect(other.bytes[name]).toEqual(one.bytes[name]);
  // The ONNX folder is a model again, with the head that was measured.
  const text = ["--corpus", "assets/corpus/books-heldout.txt", "--tokens", "256"];
  const compared = await unembed([
    ...["compare", "tiny-books", at("factored"), ...text, "--out", at("compared onnx"), "--json", "--quiet"],
  ]);
  expect(JSON.parse(compared.stdout).kl.mean / other.measures.check.kl).toBeCloseTo(1, 6);
  expect(JSON.parse(compared.stdout).top1Agreement).toBeCloseTo(other.measures.check.top1, 6);
  expect(await readdir(at("factored"))).toEqual(expect.arrayContaining(["onnx", "report.html", "tokenizer.json"]));
});

test("a dry run measures, prints a table, and writes nothing", async () => {
  const refine = ["--compensate", "refine", "--steps", "3", "--keep", "128"];
  const { code, stdout, stderr } = await reduce(...refine, "--dry-run", "--out", at("dry"));
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^128 of 256 dimensions deleted/) });
  expect(stdout).toMatch(/unseen text +(0\.\d{3,5}|\d\.\d\de-\d) /);
  expect(stdout).toContain("nothing written");
  expect(stderr).toMatch(/^refine .*3 of 3 .*KL [\d.]+ on contexts held out of the fit$/m);
  expect(await readdir(folder)).not.toContain("dry");
  const page = await reduce("--keep", "200", "--dry-run", "--report", at("page"), "--json", "--quiet");
  expect(JSON.parse(page.stdout)).toMatchObject({ out: null, report: at("page"), bytes: { written: null } });
  expect(await readFile(join(at("page"), "report.html"), "utf8")).toContain("56 of 256 dimensions were deleted");
});

test("two stages: exact logits for the likeliest tokens on top of what is kept, as many as are asked for", async () => {
  const asked = ["--keep", "12", "--dry-run", "--json", "--quiet"];
  const measured = async (...args: string[]) => {
    const { code, stdout, stderr } = await reduceBooks(...asked, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const alone = await measured();
  const rescored = await measured("--rescore", "100", "--compensate", "least-squares", "--save-plan", at("two"));
  const fitted = await measured("--rescore", "100", "--steps", "40");
  const all = await measured("--rescore", "1024", "--compensate", "none");
  expect(alone.multiplications).toEqual({ before: 1024 * 64, after: 1024 * 12 + 12 * 64 });
  expect(rescored.multiplications).toEqual({ before: 1024 * 64, after: 1024 * 12 + 12 * 64 + 100 * 64 });
  expect(Object.keys(rescored.measures.check)).toEqual(Object.keys(alone.measures.check));
  expect(rescored).toMatchObject({ kept: 12, rescore: 100, compensate: "least-squares" });
  expect(rescored.measures.check.kl).toBeLessThan(0.7 * alone.measures.check.kl);
  expect(rescored.measures.check.top1).toBeGreaterThan(alone.measures.check.top1);
  expect(fitted.compensate).toBe("refine");
  expect(fitted.measures.fit.kl).toBeLessThan(rescored.measures.fit.kl);
  expect(all.measures.check).toMatchObject({ kl: 0, top1: 1 });
  expect(rescored.warnings.join()).toContain("safetensors has no place for a head of two stages");
  // The plan says it, and is applied as it is.
  const { stdout } = await reduceBooks("--plan", at("two"), "--dry-run");
  expect(stdout).toMatch(/^52 of 64 dimensions deleted .*\nexact logits for the 100 likeliest tokens of each context/);
  expect(JSON.parse(await readFile(join(at("two"), "reduction.json"), "utf8")).rescore).toBe(100);
});

test("two stages with a bound: the likeliest token is the original's, what that takes is said, and a plan keeps it", async () => {
  const asked = ["--keep", "24", "--rescore", "400", "--greedy-exact", "--dry-run", "--json", "--quiet"];
  const first = JSON.parse((await reduceBooks(...asked, "--save-plan", at("greedy"))).stdout);
  expect(first).toMatchObject({ compensate: "least-squares", rescore: 400, measures: { check: { top1: 1 } } });
  const { fallback, rows } = first.greedyExact;
  expect(rows).toBeGreaterThanOrEqual(1024 * fallback + 24);
  const bound = 40 * 64 + 4 * 1024;
  expect(first.multiplications.after).toBe(Math.round(1024 * 24 + 24 * 64 + bound + 64 * rows));
  const again = JSON.parse((await reduceBooks("--plan", at("greedy"), "--dry-run", "--json", "--quiet")).stdout);
  expect(again.measures).toEqual(first.measures);
  expect(again.greedyExact).toEqual(first.greedyExact);
});

describe("what makes no sense is one clear line, and nothing is written", () => {
  test.each<[string, string[], RegExp, number?]>([
    ["no size", [], /reduce: one of --fraction, --keep, --max-kl and --plan is wanted/, 2],
    ["two sizes", ["--fraction", "0.3", "--keep", "4"], /one of --fraction, --keep, --max-kl and --plan/, 2],
    ["all of it", ["--fraction", "1"], /--fraction <share>' argument '1' .* from 0 to below 1/, 2],
    ["a negative share", ["--fraction", "-0.1"], /--fraction <share>' argument '-0.1' .* from 0 to below 1/, 2],
    ["no number", ["--fraction", "some"], /a number is wanted/, 2],
    ["none kept", ["--keep", "0"], /--keep <k>' argument '0' .* a whole number above 0/, 2],
    ["more than there are", ["--keep", "257"], /--keep: 257 is not a whole number from 1 to the model's 256/],
    [
      "more tokens than there are",
      ["--keep", "9", "--rescore", "8193", "--format", "onnx"],
      /--rescore: 8193 is not a wh/,
    ],
    ["no tokens", ["--keep", "9", "--rescore", "0"], /--rescore <m>' argument '0' .* a whole number above 0/, 2],
    ["two stages as one matrix", ["--keep", "9", "--rescore", "9"], /--rescore: is for --format onnx: safetensors/, 2],
    ["a bound of one stage", ["--keep", "9", "--greedy-exact"], /--greedy-exact: is for --rescore/, 2],
    [
      "a bound of coordinates",
      ["--keep", "9", "--rescore", "9", "--greedy-exact", "--order", "slope"],
      /--greedy-exact: is for --order rotation, not refined/,
      2,
    ],
    [
      "a bound for all tokens",
      ["--keep", "9", "--rescore", "8192", "--greedy-exact", "--format", "onnx"],
      /--greedy-exact: needs a token that is not rescored/,
    ],
    ["two stages for a plan", ["--plan", "p", "--rescore", "9"], /--rescore: contradicts --plan/, 2],
    ["a budget of nothing", ["--max-kl", "0"], /a number above 0 is wanted/, 2],
    ["an unknown order", ["--fraction", "0.3", "--order", "last"], /Allowed choices are saliency, slope/, 2],
    ["steps of nothing", ["--fraction", "0.3", "--steps", "3"], /--steps: is for --compensate refine/, 2],
    [
      "a metric of nothing",
      ["--keep", "9", "--order", "slope", "--metric", "logits"],
      /--metric: is for --order rot/,
      2,
    ],
    [
      "a bias that there is",
      ["--keep", "9", "--format", "onnx", "--no-bias"],
      /--no-bias: is for --format safetens/,
      2,
    ],
    ["a text twice", ["--keep", "9", "--curve", "--check", "-"], /--check: - can be read only once/, 2],
    ["no such text", ["--keep", "9", "--corpus", "no-such-file.txt"], /no-such-file\.txt/],
    ["too little text", ["--keep", "9", "--check", "ONE"], /one\.txt: has 1 token; at least two are needed/],
    ["no such model", ["no-such-model", "--keep", "9"], /no-such-model/],
  ])("%s", async (name, args, message, exit = 1) => {
    await writeFile(at("one.txt"), "the");
    const filled = args.map((arg) => arg.replace("ONE", at("one.txt")));
    const { code, stdout, stderr } = await reduce(...filled, "--out", at(`refused ${name}`), "--quiet");
    expect(stderr).toMatch(message);
    if (exit === 1) expect(stderr.trim().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: exit, stdout: "" });
    expect(await readdir(folder)).not.toContain(`refused ${name}`);
  });

  test("nowhere to write, a place that is taken, and one inside the model", async () => {
    const keep = ["--keep", "200"];
    expect((await reduce(...keep)).stderr).toMatch(/--out: is missing: where to write \(or --dry-run\)/);
    await mkdir(at("taken"));
    await writeFile(join(at("taken"), "config.json"), "{}");
    expect((await reduce(...keep, "--out", at("taken"))).stderr).toMatch(
      /taken: is there already; --force replaces it/,
    );
    await cp("assets/tiny-books", at("model"), { recursive: true });
    const inside = await reduce(at("model"), ...keep, "--out", join(at("model"), "reduced"));
    expect(inside.stderr).toMatch(/may not lie inside one another/);
    expect(await readdir(at("taken"))).toEqual(["config.json"]);
  });
});

test("a budget: the most that it allows, verified on other text; or what one dimension costs", async () => {
  // Two windows of unseen text: one to search on, one to verify on.
  const text = ["--tokens", "1500", "--check-tokens", "500"];
  const budget = ["--order", "variance", "--max-kl", "0.05", "--dry-run", "--json", "--quiet"];
  const { code, stdout } = await reduce(...text, ...budget);
  expect(code).toBe(0);
  const { deleted, measures, budget: met } = JSON.parse(stdout);
  expect(deleted).toBeGreaterThan(20);
  expect(met.maxKl).toBe(0.05);
  expect(met.verified.kl / measures.check.kl).toBeGreaterThan(0.5);
  expect(met.verified.kl / measures.check.kl).toBeLessThan(2);
  const unreachable = await reduce(
    ...text,
    "--order",
    "random",
    "--compensate",
    "none",
    "--max-kl",
    "1e-9",
    "--dry-run",
    "--quiet",
  );
  expect(unreachable.stderr).toMatch(
    /^unembed: --max-kl: 1e-9 cannot be met: deleting 1 of 256 .* costs a KL of [\d.e-]+ nats\n$/,
  );
  expect(unreachable.code).toBe(1);
});

test("few contexts: the covariance is shrunk, and that is said", async () => {
  const args = [
    "reduce",
    "--keep",
    "200",
    "--tokens",
    "300",
    "--check-tokens",
    "300",
    "--dry-run",
    "--json",
    "--quiet",
  ];
  const { code, stdout } = await unembed(args);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).warnings.join()).toMatch(/300 contexts are fewer than 2 d = 512: .* by [\d.]+%/);
});

test("text that hardly moves the hidden states: that is said, and how many directions are kept then", async () => {
  const args = ["reduce", "--keep", "100", "--context", "4", "--corpus", at("same.txt"), "--check-tokens", "300"];
  await writeFile(at("same.txt"), "the ".repeat(2000));
  const { code, stdout } = await unembed([...args, "--dry-run", "--json", "--quiet"]);
  expect(code).toBe(0);
  const { kept, warnings } = JSON.parse(stdout);
  expect(kept).toBeLessThan(20);
  expect(warnings).toContain(`${kept} directions are kept instead of 100: the hidden states move in no more`);
  expect(warnings.join()).toMatch(/in \d+ of 256 directions only: their covariance is singular/);
});

test("Ctrl-C: nothing is left, and that is said", async () => {
  const args = ["reduce", "--keep", "200", "--tokens", "1000000", "--out", at("interrupted")];
  const { code, stderr } = await unembedProcess(args, { interruptWhen: ({ stderr }) => stderr.includes("%") });
  expect(code).toBe(130);
  expect(stderr).toMatch(/%.*\nunembed: interrupted; nothing was written\n$/);
  expect((await readdir(folder)).filter((name) => name.includes("interrupted") || name.startsWith("."))).toEqual([]);
});
