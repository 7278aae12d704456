import { cp, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFileSource } from "../../src/node/files/file-source.js";
import { readSafetensorsHeader } from "../../src/tensor/safetensors/safetensors.js";
import { unembed } from "../support/command.js";
import { writeIdFile } from "../support/id-file.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-reduce-refine-"));
  await writeIdFile(at("fit.npy"), 2400, 64);
  await writeIdFile(at("check.npy"), 600, 64, 100);
});
afterAll(() => rm(folder, { recursive: true }));

// Of a small vocabulary: what is asked of every refinement here is the same for a model of any size.
const gemma = "test/goldens/arch/gemma";
const reduce = (...args: string[]) => {
  const text = ["--corpus", at("fit.npy"), "--check", at("check.npy"), "--threads", "1"];
  return unembed(["reduce", gemma, ...text, "--metric", "logits", ...args, "--dry-run", "--json"]);
};

test("a curve of refined reductions: every share, and what is asked for among them", async () => {
  const { code, stdout, stderr } = await reduce(
    ...["--fraction", "0.3", "--compensate", "refine", "--steps", "10", "--curve", "--tokens", "500"],
    ...["--check-tokens", "256", "--report", at("page")],
  );
  expect(code).toBe(0);
  expect((await readdir(at("page"))).sort()).toEqual(["report.html", "run.json"]);
  expect(JSON.parse(await readFile(join(at("page"), "run.json"), "utf8")).results.curve).toEqual(
    JSON.parse(stdout).curve,
  );
  const { curve, measures } = JSON.parse(stdout);
  type Point = { order: string; compensate: string; rescore?: number; fraction: number; deleted: number; kl: number };
  const of = (compensate: string): Point[] =>
    curve.filter(
      ({ order, compensate: made, rescore }: Point) =>
        order === "rotation" && made === compensate && rescore === undefined,
    );
  const refined = of("refine");
  expect(refined.map(({ fraction }) => fraction)).toEqual(Array.from({ length: 20 }, (_, step) => step / 20));
  expect(refined.map(({ deleted }) => deleted)).toEqual(of("least-squares").map(({ deleted }) => deleted));
  expect(refined[0]!.kl).toBeLessThan(1e-5);
  for (const [i, { kl }] of refined.entries()) {
    if (i > 0) expect(kl).toBeLessThan(of("least-squares")[i]!.kl);
  }
  // Two stages are one more method; gates, which take long, are trained where they are asked for.
  expect(curve.filter(({ rescore }: Point) => rescore !== undefined)).toHaveLength(20);
  expect(curve.map(({ order }: Point) => order)).not.toContain("gates");
  expect(refined.find(({ fraction }) => fraction === 0.3)!.kl / measures.check.kl).toBeCloseTo(1, 2);
  expect(stderr).toMatch(/^refine 95% deleted .*10 of 10 .*KL [\d.]+ on contexts held out of the fit$/m);
  // What is asked for is refined once.
  expect(stderr.match(/^refine .* 10 of 10 /gm)).toHaveLength(19);
});

test("a budget with refinement: more goes than without, and it is verified", async () => {
  const plain = JSON.parse((await reduce("--max-kl", "0.15", "--quiet")).stdout);
  const { code, stdout, stderr } = await reduce("--max-kl", "0.15", "--compensate", "refine", "--steps", "30");
  expect(code).toBe(0);
  const { deleted, budget } = JSON.parse(stdout);
  expect(stderr.match(/^refine .* 30 of 30 /gm)!.length).toBeGreaterThan(1);
  expect(deleted).toBeGreaterThan(plain.deleted);
  expect(budget.maxKl).toBe(0.15);
  expect(budget.verified.kl).toBeLessThan(0.2);
});

test.each([
  ["NaN", 0x7e00, "transformer.wte.weight", ', in the row of token 30 (">")'],
  ["Infinity", 0x7c00, "transformer.wte.weight", ', in the row of token 30 (">")'],
  ["NaN", 0x7e00, "transformer.h.0.mlp.c_fc.weight", ""],
])("%s in a model's weights is one clear line, and nothing is written", async (name, bits, tensor, row) => {
  const model = at(`${name}-${tensor}`);
  await cp("assets/tiny-books", model, { recursive: true });
  const { tensors } = await readSafetensorsHeader(await openFileSource(join(model, "model.safetensors")));
  const file = await open(join(model, "model.safetensors"), "r+");
  await file.write(Uint16Array.of(bits), 0, 2, tensors.get(tensor)!.offset + 2 * 7777);
  await file.close();
  const before = await readdir(folder);
  const { code, stdout, stderr } = await unembed([
    ...["reduce", model, "--keep", "200", "--tokens", "700", "--out", at("reduced"), "--quiet"],
  ]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toBe(`unembed: ${model}/model.safetensors: tensor "${tensor}" holds ${name} at element 7777${row}\n`);
  expect(await readdir(folder)).toEqual(before);
});
