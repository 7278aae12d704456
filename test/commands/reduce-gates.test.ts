import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unembed } from "../support/command.js";
import { writeIdFile } from "../support/id-file.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-reduce-gates-"));
  await writeIdFile(at("fit.npy"), 1000, 64);
  await writeIdFile(at("check.npy"), 300, 64, 100);
});
afterAll(() => rm(folder, { recursive: true }));

const reduce = (...args: string[]) => {
  const text = ["--corpus", at("fit.npy"), "--check", at("check.npy"), "--threads", "1"];
  return unembed(["reduce", "test/goldens/arch/gemma", ...text, ...args, "--json"]);
};

test("a learnt order stands in the plan, is the same of the same seed, and what is kept can be refined", async () => {
  const asked = ["--order", "gates", "--fraction", "0.5", "--seed", "7", "--dry-run"];
  const plain = await reduce(...asked, "--save-plan", at("plain"));
  expect(plain.code).toBe(0);
  expect(plain.stderr).toMatch(/^gates .* of 300$/m);
  const refined = await reduce(...asked, "--compensate", "refine", "--steps", "20", "--save-plan", at("refined"));
  const [one, other] = [plain, refined].map(({ stdout }) => JSON.parse(stdout));
  expect(one).toMatchObject({ order: "gates", compensate: "least-squares" });
  expect(other.measures.check.kl).toBeLessThan(one.measures.check.kl);
  const [first, second] = await Promise.all(
    ["plain", "refined"].map(async (name) => JSON.parse(await readFile(join(at(name), "reduction.json"), "utf8"))),
  );
  expect(first).toMatchObject({ order: "gates", seed: 7 });
  expect(first.coordinates).toHaveLength(first.kept);
  expect(second.coordinates).toEqual(first.coordinates);
}, 60_000);
