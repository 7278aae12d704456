import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFileSource } from "../../src/node/files/file-source.js";
import { writeNpy } from "../../src/tensor/npy.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../../src/tensor/safetensors/safetensors.js";
import { unembed, unembedProcess } from "../support/command.js";

/** A model without a tokenizer, V = 160 and d = 24, and token ids for it. */
const small = "test/goldens/arch/gpt2";
const idCount = 100_000;

let folder: string;
let ids: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-cli-"));
  ids = join(folder, "ids.npy");
  const data = Int32Array.from({ length: idCount }, (_, i) => (7 * (i % 160) ** 2 + 3 * i) % 160);
  await writeFile(ids, writeNpy({ dtype: "I32", shape: [idCount], data }));
});
afterAll(() => rm(folder, { recursive: true }));

const goldenText = "test/goldens/tiny-books/text.txt";

test("analyze agrees with PyTorch and statsmodels from text to numbers, and writes the run", async () => {
  const out = join(folder, "golden");
  const { code, stdout, stderr } = await unembed(["analyze", "--corpus", goldenText, "--out", out, "--json"]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^analyze \[[#-]+\] \d+%/);
  const printed = JSON.parse(stdout);
  const golden = JSON.parse(await readFile("test/goldens/tiny-books/encoding.json", "utf8"));
  const keys = [
    "r2",
    "adjustedR2",
    "crossValidatedR2",
    "spearman",
    "intercept",
    "residualStandardError",
    "gini",
  ] as const;
  for (const key of keys) expect(Math.abs(printed[key] / golden[key] - 1), key).toBeLessThan(1e-6);
  expect(printed).toMatchObject({
    model: "tiny-books",
    vocabSize: 8192,
    hiddenSize: 256,
    contexts: 23236,
    dimensionsFor: golden.dimensionsFor,
    out,
  });
  expect(printed.theory.meanField.r2).toBeCloseTo(golden.theory.meanField.r2, 5);
  expect(printed.theory.meanField.cosine).toBeCloseTo(golden.theory.meanField.cosine, 6);
  expect(printed.theory.secondOrder.r2).toBeCloseTo(golden.theory.secondOrder.r2, 5);
  expect(printed.concentration.entropy).toBeCloseTo(golden.concentration.entropy, 5);
  expect(printed.concentration.logitStandardDeviation).toBeCloseTo(golden.concentration.logitStandardDeviation, 5);
  expect(printed.concentration.topMass["100"]).toBeCloseTo(golden.concentration.topMass["100"], 6);
  expect(printed.r2Interval).toMatchObject({ level: 0.95, groups: 16, resamples: 200 });
  expect(printed.r2Interval.low).toBeLessThan(printed.r2Interval.high);
  expect(printed.r2Curve.map(({ subsets }: { subsets: number }) => subsets)).toEqual([16, 8, 4, 2, 1]);
  expect(printed.r2Curve.at(-1)).toMatchObject({ contexts: 23236, r2: printed.r2 });
  expect(printed.warnings).toEqual([]);
  expect(printed.seconds).toBeGreaterThan(0);
  expect(printed.tokensPerSecond).toBeGreaterThan(0);

  expect((await readdir(out)).sort()).toEqual(["report.html", "run.json", "tensors.safetensors", "tokens.csv"]);
  const run = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  expect(run).toMatchObject({ schema: "unembed-run", schemaVersion: 1, kind: "analyze", seed: 0 });
  expect(run.results.r2).toBe(printed.r2);
  const { tensors } = await readSafetensorsHeader(await openFileSource(join(out, "tensors.safetensors")));
  const wanted = await readSafetensorsHeader(await openFileSource("test/goldens/tiny-books/encoding.safetensors"));
  for (const name of ["mean_probability", "slopes", "standard_errors", "t_values", "mean_hidden", "second_moment"]) {
    const ours = await readTensorFloat64(tensors.get(name)!);
    const theirs = await readTensorFloat64(wanted.tensors.get(name)!);
    const size = theirs.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
    expect(worst / size, name).toBeLessThan(1e-6);
  }
  expect(tensors.get("component_scores")!.shape).toEqual([8192, 4]);
  const table = await readFile(join(out, "tokens.csv"), "utf8");
  expect(table.split("\r\n")).toHaveLength(8192 + 2);
  expect(table).toMatch(/^\d+," the",0\.0\d+,0\.0\d+,\d+\r$/m);
  const alpha = await readTensorFloat64(tensors.get("mean_probability")!);
  expect(Math.abs(alpha.reduce((sum, value) => sum + value, 0) - 1)).toBeLessThan(1e-12);
  expect(await readFile(join(out, "report.html"), "utf8")).toContain("<!doctype html>");
});

test.each([
  [1, /^warning +1 context: -log alpha of one alone is linear in E/m],
  [16, /^warning +16 contexts are few/m],
])("a fit on too few tokens (%i) is shown with what keeps it from saying anything", async (tokens, warning) => {
  const out = join(folder, `few-${tokens}`);
  const { code, stdout } = await unembed(["analyze", small, "--corpus", ids, "--tokens", `${tokens}`, "--out", out]);
  expect(code).toBe(0);
  expect(stdout).toMatch(warning);
  expect(stdout).toMatch(/95% interval +cannot be told/);
  const { results } = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  expect(results.r2Interval).toBeNull();
  expect(results.r2Curve).toHaveLength(1);
  expect(results.warnings[0]).toMatch(/by construction/);
  expect(await readFile(join(out, "report.html"), "utf8")).not.toContain("no artefact of the many coefficients");
});

test("an interrupted run says so, leaves what it had reached, and goes on from there to the same bytes", async () => {
  const args = ["analyze", small, "--corpus", ids, "--tokens", `${idCount}`, "--context", "64", "--out"];
  const [whole, out] = [join(folder, "whole"), join(folder, "interrupted")];
  expect((await unembed([...args, whole, "--quiet"])).code).toBe(0);

  // What a first line of progress is about may not be enough to keep: then it goes on for longer.
  const interrupt = (interruptAfter: number) =>
    unembedProcess([...args, out], { interruptWhen: ({ stderr }) => stderr.includes("%"), interruptAfter });
  let after = 50;
  let interrupted = await interrupt(after);
  while (interrupted.code === 130 && !existsSync(out)) {
    after *= 2;
    interrupted = await interrupt(after);
  }
  expect(interrupted.code).toBe(130);
  expect(interrupted.stdout).toBe("");
  expect(interrupted.stderr).toContain("started again with the same arguments it goes on from here");
  expect(await readdir(out)).toEqual(["unfinished.safetensors"]);

  const resumed = await unembed([...args, out]);
  expect(resumed.code).toBe(0);
  expect(resumed.stderr).toMatch(/^going on from [\d,]+ tokens of an interrupted run/);
  expect((await readdir(out)).sort()).toEqual(["report.html", "run.json", "tensors.safetensors", "tokens.csv"]);
  const [ours, uninterrupted] = await Promise.all(
    [out, whole].map((run) => readFile(join(run, "tensors.safetensors"))),
  );
  expect(ours!.equals(uninterrupted!)).toBe(true);
});

test("standard input, --tokens and --quiet", async () => {
  const text = await readFile(goldenText, "utf8");
  const out = join(folder, "stdin");
  const args = ["analyze", "--corpus", "-", "--tokens", "600", "--out", out];
  const { code, stdout, stderr } = await unembed([...args, "--quiet"], { input: text });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
  const run = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  expect(run.corpus).toMatchObject({ contexts: 600, windows: 3, contextLength: 256 });
});

test("the table fits 80 columns", async () => {
  const args = ["analyze", "--corpus", goldenText, "--tokens", "512", "--out", join(folder, "t")];
  const { code, stdout } = await unembed(args);
  expect(code).toBe(0);
  expect(stdout).toContain("cross-validated");
  const lines = stdout.split("\n").filter((line) => !line.startsWith("report"));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("bad usage exits with 2, help with 0", async () => {
  for (const args of [
    ["analyse"],
    ["analyze", "--tokens", "-3"],
    ["analyze", "--nonsense"],
    ["analyze", "--device", "abacus"],
  ]) {
    const { code, stdout, stderr } = await unembed(args);
    expect(code, args.join(" ")).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("error:");
  }
  const help = await unembed(["analyze", "--help"]);
  expect(help.code).toBe(0);
  expect(help.stdout).toContain("Examples:");
  expect((await unembed(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

/** A copy of a small model folder with one file changed. */
async function broken(name: string, file: string, change: (bytes: Buffer) => Buffer | string): Promise<string> {
  const copy = join(folder, name);
  await cp("assets/tiny-books", copy, { recursive: true });
  const bytes = await readFile(join(copy, file));
  await rm(join(copy, file));
  const changed = change(bytes);
  if (changed.length > 0) await writeFile(join(copy, file), changed);
  return copy;
}

const setConfig = (field: string, value: unknown) => (bytes: Buffer) =>
  JSON.stringify({ ...JSON.parse(bytes.toString()), [field]: value });

test.each<[string, () => Promise<string[]>, RegExp]>([
  ["no such model", async () => [join(folder, "nowhere")], /nowhere/],
  ["a model without config", async () => [folder], /config\.json is missing/],
  [
    "truncated weights",
    async () => [await broken("truncated", "model.safetensors", (bytes) => bytes.subarray(0, 1_000_000))],
    /model\.safetensors: /,
  ],
  [
    "NaN in the weights",
    async () => {
      const poison = (bytes: Buffer) => {
        bytes[bytes.length - 1] = 0x7e;
        bytes[bytes.length - 2] = 1;
        return bytes;
      };
      return [await broken("nan", "model.safetensors", poison)];
    },
    /model\.safetensors: tensor "transformer\.wte\.weight" holds NaN at element 2097151/,
  ],
  [
    "an unknown architecture",
    async () => [await broken("unknown", "config.json", setConfig("model_type", "rwkv"))],
    /config\.json: field "model_type" is "rwkv".*gpt2/,
  ],
  [
    "a config that contradicts the tensors",
    async () => [await broken("contradicts", "config.json", setConfig("n_embd", 128))],
    /model\.safetensors: tensor "transformer\.\S+" has shape/,
  ],
  [
    "a config with a missing field",
    async () => [await broken("nohead", "config.json", setConfig("n_head", null))],
    /config\.json: field "n_head" is missing/,
  ],
  [
    "one layer too many",
    async () => [await broken("layers", "config.json", setConfig("n_layer", 5))],
    /tensor "transformer\.h\.4\.\S+" or "h\.4\.\S+" is missing/,
  ],
  ["no tokenizer", async () => [await broken("notokenizer", "tokenizer.json", () => "")], /tokenizer\.json/],
  [
    "a broken tokenizer",
    async () => [await broken("badtokenizer", "tokenizer.json", () => '{"model": 3}')],
    /tokenizer\.json/,
  ],
  [
    "an empty corpus",
    async () => {
      await writeFile(join(folder, "empty.txt"), "");
      return ["--corpus", join(folder, "empty.txt")];
    },
    /empty\.txt/,
  ],
  [
    "a corpus of one token",
    async () => {
      await writeFile(join(folder, "one.txt"), "a");
      return ["--corpus", join(folder, "one.txt")];
    },
    /at least two/,
  ],
  [
    "text that is not UTF-8",
    async () => {
      await writeFile(join(folder, "latin1.txt"), Buffer.from("plain caf\xe9 text", "latin1"));
      return ["--corpus", join(folder, "latin1.txt")];
    },
    /latin1\.txt.*\b9\b/,
  ],
  ["a missing corpus", async () => ["--corpus", join(folder, "missing.txt")], /missing\.txt/],
  ["a context longer than the model's", async () => ["--context", "300"], /256 positions/],
  ["a file where the run's folder is to be", async () => ["--out", "README.md"], /README\.md: is a file/],
])("%s is one clear line and exit code 1, and nothing is written", async (_name, makeArgs, message) => {
  const args = await makeArgs();
  const out = join(folder, "refused");
  const defaults = { "--out": out, "--corpus": goldenText };
  const others = Object.entries(defaults).filter(([option]) => !args.includes(option));
  const { code, stdout, stderr } = await unembed(["analyze", ...args, ...others.flat()]);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(await readdir(folder)).not.toContain("refused");
});

test("no permission to write is refused before the work", async () => {
  const locked = join(folder, "locked");
  await mkdir(locked);
  await chmod(locked, 0o500);
  await chmod(folder, 0o755);
  // root may write anywhere; as root the command is run by nobody.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const args = ["bin/unembed.js", "analyze", "--corpus", goldenText, "--out", join(locked, "run")];
  const { status, stderr } = spawnSync(process.execPath, args, { ...user, encoding: "utf8" });
  expect(stderr).toMatch(/^unembed: \S*locked\S*: .*permission denied/);
  expect(status).toBe(1);
});
