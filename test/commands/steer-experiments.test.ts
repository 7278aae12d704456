import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unembed } from "../support/command.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-trials-"));
});
afterAll(() => rm(folder, { recursive: true }));

const small = ["--tokens", "800", "--check-tokens", "300", "--probes", "100"];

test("without a model to write: a page and its numbers, and nothing else", async () => {
  const report = join(folder, "trials");
  const sweep = ["--sweep", "0.2,5", "--per-band", "1"];
  const { code, stdout, stderr } = await unembed([
    "steer",
    ...sweep,
    ...small,
    "--report",
    report,
    "--json",
    "--quiet",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { experiments, out } = JSON.parse(stdout);
  expect(out).toBe(report);
  expect((await readdir(report)).sort()).toEqual(["report.html", "run.json"]);
  const { results, kind } = JSON.parse(await readFile(join(report, "run.json"), "utf8"));
  expect(kind).toBe("steer");
  expect(results.edit).toBeNull();
  expect(results.experiments.summary).toEqual(experiments);
  expect(results.experiments.groups.map(({ band }: { band: number }) => band)).toEqual([0, 1, 2]);
  for (const { method, texts } of experiments.scales) {
    // Calibrated, the nearest edit holds on the fitting text; the paper's direction is off by a factor.
    if (method === "nearest") expect(texts.fit.largestMiss).toBeLessThan(1e-5);
    else expect(texts.fit.medianMiss).toBeGreaterThan(0.1);
    expect(texts.outOfDomain.medianMiss).toBeGreaterThan(0);
  }
  expect(await readFile(join(report, "report.html"), "utf8")).toContain("How far can a token be steered?");
});

test("nearest edits have their faithfulness drawn against their size where that is asked for, and only there", async () => {
  const args = ["steer", "--edit", " the=x0.5", ...small, "--force", "--json", "--quiet"];
  const asked = join(folder, "sizes");
  expect((await unembed([...args, "--sweep-sizes", "1e-5..1e-3", "--out", asked])).code).toBe(0);
  const record = JSON.parse(await readFile(join(asked, "run.json"), "utf8"));
  const { sizes, chosenSize, methods } = record.results.experiments;
  expect(methods).toBeUndefined();
  expect(sizes.map(({ size }: { size: number }) => size)).toContain(chosenSize);
  const norms = sizes.map(({ norm }: { norm: number }) => norm);
  expect(norms).toEqual([...norms].sort((a, b) => b - a));
  expect(await readFile(join(asked, "report.html"), "utf8")).toContain("Faithfulness against size");
  const plain = join(folder, "plain");
  const { stdout } = await unembed([...args, "--out", plain]);
  expect(JSON.parse(stdout)).toMatchObject({ generated: null });
  const { results } = JSON.parse(await readFile(join(plain, "run.json"), "utf8"));
  expect([results.experiments, results.generated]).toEqual([null, null]);
});

test("with a model to write: the asked edits, tried in every way, on the model's page", async () => {
  const out = join(folder, "edited");
  const trials = ["--compare-methods", "--sweep-sizes", "1e-4,1e-2", "--sweep-tokens", "300..800"];
  const args = ["--edit", " the=x0.5", ...trials, ...small, "--out", out];
  const { code, stdout } = await unembed(["steer", ...args]);
  expect(code).toBe(0);
  expect(stdout).toContain("constant (exact)");
  const { results } = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  expect(results.edit.edits[0].scale.wanted).toBeCloseTo(0.5, 10);
  expect(results.experiments.groups).toHaveLength(1);
  expect(results.experiments.scales).toBeUndefined();
  expect(results.experiments.methods.map(({ method }: { method: string }) => method)).toEqual([
    "nearest",
    "constant",
    "encoding",
    "salient",
    "mean",
    "constant",
    "encoding",
  ]);
  expect(results.experiments.tokenCounts.map(({ contexts }: { contexts: number }) => contexts)).toEqual([
    300, 500, 800,
  ]);
  // Solved alone on the same text, the edit is the one that was written.
  const [alone] = results.experiments.methods;
  const written = results.edit.edits[0].measured.outOfDomain.scale;
  expect(alone.effects.outOfDomain.scale / written).toBeCloseTo(1, 4);
  const page = await readFile(join(out, "report.html"), "utf8");
  for (const title of ["Which method?", "Faithfulness against size", "How little text is enough?"]) {
    expect(page).toContain(title);
  }
});

describe("what makes no sense is refused, and nothing written", () => {
  test.each<[string, string[], RegExp]>([
    ["no edit and no experiment", [], /--out: is missing/],
    [
      "a report elsewhere than the model",
      ["--edit", " the=x2", "--out", "o", "--report", "r"],
      /--report: is for experiments/,
    ],
    ["scales below 0", ["--sweep", "-1,2"], /numbers above 0/],
    ["a range that ends before it begins", ["--sweep", "5..2"], /ends before it begins/],
    ["parts of tokens", ["--sweep-tokens", "0.5,2"], /whole numbers/],
    ["a probability that cannot be", ["--edit", " the=x100", "--compare-methods"], /add up to/],
  ])("%s", async (_, args, message) => {
    const report = args.includes("--report") ? [] : args.length > 0 ? ["--report", join(folder, "refused")] : [];
    const { code, stderr, stdout } = await unembed(["steer", ...args, ...report, ...small, "--quiet"]);
    expect(stderr).toMatch(message);
    expect(code).not.toBe(0);
    expect(stdout).toBe("");
    expect(await readdir(folder)).not.toContain("refused");
  });
});
