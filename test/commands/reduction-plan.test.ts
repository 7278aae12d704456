import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unembed } from "../support/command.js";

let folder: string;
let saved: { code: number | null; stdout: string; stderr: string };
const at = (name: string) => join(folder, name);
const small = ["--tokens", "1000", "--check-tokens", "400"];
const reduce = (...args: string[]) => unembed(["reduce", ...small, ...args]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-reduction-plan-"));
  saved = await reduce("--keep", "16", "--dry-run", "--save-plan", at("plan"), "--json", "--quiet");
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

test("a dry run keeps its plan, and applying it measures and writes the same", async () => {
  expect(saved).toMatchObject({ code: 0, stderr: "" });
  expect((await readdir(folder)).sort()).toEqual(["plan"]);
  expect((await readdir(at("plan"))).sort()).toEqual(["reduction.json", "reduction.safetensors"]);
  const again = await reduce(
    "--plan",
    at("plan"),
    "--out",
    at("model"),
    "--save-plan",
    at("again"),
    "--json",
    "--quiet",
  );
  expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: "" });
  const [first, second] = [JSON.parse(saved.stdout), JSON.parse(again.stdout)];
  const { order, compensate, deleted, kept, measures } = first;
  expect(second).toMatchObject({ order, compensate, deleted, kept, measures, out: at("model") });
  const { plan } = JSON.parse(await readFile(join(at("model"), "unembed.json"), "utf8"));
  expect(plan).toEqual(JSON.parse(await readFile(join(at("plan"), "reduction.json"), "utf8")));
  for (const name of ["reduction.json", "reduction.safetensors"]) {
    const [one, other] = [await readFile(join(at("plan"), name)), await readFile(join(at("again"), name))];
    expect(one.equals(other)).toBe(true);
  }
}, 120_000);

test("by the name of its JSON file, in the other format, as a table", async () => {
  const json = join(at("plan"), "reduction.json");
  const { code, stdout } = await reduce("--plan", json, "--format", "onnx", "--out", at("onnx"));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^240 of 256 dimensions deleted \(93\.8%\), 16 kept: rotation, least-squares/);
  const { measured } = JSON.parse(await readFile(join(at("onnx"), "unembed.json"), "utf8"));
  expect(measured.measures.check.kl / JSON.parse(saved.stdout).measures.check.kl).toBeCloseTo(1, 2);
}, 120_000);

describe("what cannot be applied is one clear line, and nothing is written", () => {
  const damaged = async (name: string, change: (path: string) => Promise<void>) => {
    await cp(at("plan"), at(name), { recursive: true });
    await change(at(name));
    return at(name);
  };
  const json = (from: string, to: string) => async (path: string) => {
    const file = join(path, "reduction.json");
    const text = await readFile(file, "utf8");
    expect(text).toContain(from);
    await writeFile(file, text.replace(from, to));
  };
  const arrays = (change: (bytes: Buffer) => void) => async (path: string) => {
    const file = join(path, "reduction.safetensors");
    const bytes = await readFile(file);
    change(bytes);
    await writeFile(file, bytes);
  };
  test.each<[string, (path: string) => Promise<void>, RegExp]>([
    [
      "another shape",
      json('"hiddenSize": 256', '"hiddenSize": 128'),
      /field vocabSize: the plan is for a head of 8192 x 128; .* 8192 x 256/,
    ],
    [
      "more kept than said",
      json('"kept": 16', '"kept": 17'),
      /tensor "factor" is F32 \[8192, 16\]; the plan needs F32 \[8192, 17\]/,
    ],
    [
      "a sum that is wrong",
      json('"deleted": 240', '"deleted": 24'),
      /reduction\.json: field deleted: is 24 where 16 of 256 are kept/,
    ],
    [
      "an order without coordinates",
      json('"rotation"', '"saliency"'),
      /field coordinates: are missing, and the order is saliency/,
    ],
    ["no JSON", json("{", "{{"), /reduction\.json: plan is not JSON/],
    ["a field twice", json('"kept": 16', '"kept": 16, "kept": 16'), /names "kept" twice/],
    ["cut off", (path) => truncate(join(path, "reduction.safetensors"), 5000), /reduction\.safetensors/],
    ["no arrays", (path) => rm(join(path, "reduction.safetensors")), /reduction\.safetensors/],
    ["a header that lies", arrays((bytes) => bytes.writeBigUInt64LE(2n ** 60n)), /reduction\.safetensors/],
    [
      "a number that is none",
      arrays((bytes) => bytes.writeFloatLE(Number.NaN, bytes.length - 4)),
      /holds numbers that are not finite/,
    ],
  ])("%s", async (name, change, message) => {
    const plan = await damaged(name, change);
    const { code, stdout, stderr } = await reduce("--plan", plan, "--out", at(`from ${name}`), "--quiet");
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(await readdir(folder)).not.toContain(`from ${name}`);
  });

  test.each<[string, string[], RegExp, number]>([
    ["a size", ["--fraction", "0.3"], /one of --fraction, --keep, --max-kl and --plan is wanted/, 2],
    ["an order", ["--order", "slope"], /--order: contradicts --plan/, 2],
    ["a compensation", ["--compensate", "refine"], /--compensate: contradicts --plan/, 2],
    ["steps", ["--steps", "4"], /--steps: contradicts --plan/, 2],
    ["a seed", ["--seed", "4"], /--seed: contradicts --plan/, 2],
    ["a metric", ["--metric", "logits"], /--metric: contradicts --plan/, 2],
    ["a place that is taken", ["--save-plan", "PLAN"], /plan: holds reduction\.json already; --force replaces it/, 1],
    [
      "a file for a folder",
      ["--save-plan", "PLAN/reduction.json"],
      /reduction\.json: is a file where a folder is wanted/,
      1,
    ],
  ])("beside %s", async (name, args, message, exit) => {
    const filled = args.map((arg) => arg.replace("PLAN", at("plan")));
    const { code, stderr } = await reduce("--plan", at("plan"), ...filled, "--out", at(`beside ${name}`), "--quiet");
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(exit);
    expect(await readdir(folder)).not.toContain(`beside ${name}`);
  });

  test("no plan there, and a model's folder instead of one", async () => {
    const args = ["--dry-run", "--quiet", "--plan"];
    await mkdir(at("empty"));
    expect((await reduce(...args, at("empty"))).stderr).toMatch(/empty\/reduction\.json: /);
    expect((await reduce(...args, "assets/tiny-books/config.json")).stderr).toMatch(/reduction\.json: /);
  });
});
