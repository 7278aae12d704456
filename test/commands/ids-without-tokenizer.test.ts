import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeNpy } from "../../src/tensor/npy.js";
import { unembed } from "../support/command.js";

const model = "test/goldens/arch/gpt2";
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-ids-"));
  const { vocab_size: vocabSize } = JSON.parse(await readFile(join(model, "config.json"), "utf8"));
  for (const [name, factor] of [["fit.npy", 7] as const, ["check.npy", 11] as const]) {
    const ids = Int32Array.from({ length: 600 }, (_, t) => (t * factor + ((t * t) % 13)) % vocabSize);
    await writeFile(at(name), writeNpy({ dtype: "I32", shape: [ids.length], data: ids }));
  }
});
afterAll(() => rm(folder, { recursive: true }));

test("reduce measures a model without tokenizer.json on token ids, and says that a curve has no texts", async () => {
  const texts = ["--corpus", at("fit.npy"), "--check", at("check.npy")];
  const { code, stdout, stderr } = await unembed([
    ...["reduce", model, ...texts, "--fraction", "0.25", "--curve", "--dry-run", "--report", at("page"), "--json"],
  ]);
  expect(stderr).toContain("has no tokenizer.json: no texts are written");
  expect(code).toBe(0);
  const printed = JSON.parse(stdout);
  expect(printed.curve.length).toBeGreaterThan(20);
  expect(printed.generated).toBeUndefined();
});

test("compare takes token ids for models without tokenizer.json", async () => {
  const args = ["compare", model, model, "--corpus", at("check.npy"), "--out", at("compared"), "--json", "--quiet"];
  const { code, stdout, stderr } = await unembed(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { kl, movers } = JSON.parse(stdout);
  expect(kl.mean).toBe(0);
  expect(movers[0].token).toMatch(/^#\d+$/);
});

test("text is refused, in one line that says what is missing", async () => {
  const { code, stderr } = await unembed(["reduce", model, "--fraction", "0.25", "--dry-run", "--quiet"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^unembed: .*books-fit\.txt.*: is text, and the model has no tokenizer\.json .*\n$/);
});
