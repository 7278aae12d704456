import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFileSource } from "../../src/node/files/file-source.js";
import { readSafetensorsHeader } from "../../src/tensor/safetensors/safetensors.js";
import { unembed } from "../support/command.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-reduce-refine-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a curve of refined reductions: every share, and what is asked for among them", async () => {
  // Few texts are written after a short text, and those take longest.
  const check = at("check.txt");
  await writeFile(
    check,
    "The old captain looked at the sea, and said that the ship would not come before night. ".repeat(8),
  );
  const { code, stdout, stderr } = await unembed([
    ...["reduce", "--fraction", "0.3", "--compensate", "refine", "--steps", "4", "--curve", "--dry-run", "--json"],
    ...["--tokens", "700", "--check", check, "--report", at("page")],
  ]);
  expect(code).toBe(0);
  expect((await readdir(at("page"))).sort()).toEqual(["report.html", "run.json"]);
  expect(JSON.parse(await readFile(join(at("page"), "run.json"), "utf8")).results.curve).toEqual(
    JSON.parse(stdout).curve,
  );
  const { curve, measures } = JSON.parse(stdout);
  type Point = { order: string; compensate: string; fraction: number; deleted: number; kl: number };
  const of = (compensate: string): Point[] =>
    curve.filter((point: Point) => point.order === "rotation" && point.compensate === compensate);
  const refined = of("refine");
  expect(refined.map(({ fraction }) => fraction)).toEqual(Array.from({ length: 20 }, (_, step) => step / 20));
  expect(refined.map(({ deleted }) => deleted)).toEqual(of("least-squares").map(({ deleted }) => deleted));
  expect(refined[0]!.kl).toBeLessThan(1e-5);
  expect(refined.some(({ kl }, i) => kl !== of("least-squares")[i]!.kl)).toBe(true);
  expect(refined.find(({ fraction }) => fraction === 0.3)!.kl / measures.check.kl).toBeCloseTo(1, 2);
  expect(stderr).toMatch(/^refine 95% deleted .*4 of 4 .*KL [\d.]+ on contexts held out of the fit$/m);
  // What is asked for is refined once.
  expect(stderr.match(/^refine .* 4 of 4 /gm)).toHaveLength(19);
}, 240_000);

test("a budget with refinement: more goes than without, and it is verified", async () => {
  const text = ["--tokens", "1500", "--check-tokens", "500", "--threads", "1"];
  const args = ["reduce", ...text, "--max-kl", "0.1", "--dry-run", "--json"];
  const plain = JSON.parse((await unembed([...args, "--quiet"])).stdout);
  const { code, stdout, stderr } = await unembed([...args, "--compensate", "refine", "--steps", "30"]);
  expect(code).toBe(0);
  const { deleted, budget } = JSON.parse(stdout);
  expect(stderr.match(/^refine .* 30 of 30 /gm)!.length).toBeGreaterThan(1);
  expect(deleted).toBeGreaterThan(plain.deleted);
  expect(budget.maxKl).toBe(0.1);
  expect(budget.verified.kl).toBeLessThan(0.15);
}, 240_000);

test.each([
  ["NaN", 0x7e00, "transformer.wte.weight"],
  ["Infinity", 0x7c00, "transformer.wte.weight"],
  ["NaN", 0x7e00, "transformer.h.0.mlp.c_fc.weight"],
])("%s in a model's weights is one clear line, and nothing is written", async (name, bits, tensor) => {
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
  expect(stderr).toBe(`unembed: ${model}/model.safetensors: tensor "${tensor}" holds ${name} at element 7777\n`);
  expect(await readdir(folder)).toEqual(before);
});
