import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeNpy } from "../../src/tensor/npy.js";
import { unembed } from "../support/command.js";

const model = "test/goldens/arch/gpt2";
let folder: string;
/** Another test file runs beside this one. */
const oneThread = ["--threads", "1"];
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
    // 320 heads are measured: few tokens each.
    ...["--tokens", "128", "--check-tokens", "64", ...oneThread],
  ]);
  expect(stderr).toContain("has no tokenizer.json: no texts are written");
  expect(code).toBe(0);
  const printed = JSON.parse(stdout);
  expect(printed.curve.length).toBeGreaterThan(20);
  expect(printed.generated).toBeUndefined();
});

test("compare takes token ids for models without tokenizer.json", async () => {
  const args = ["compare", model, model, "--corpus", at("check.npy"), "--out", at("compared"), "--json", "--quiet"];
  const { code, stdout, stderr } = await unembed([...args, ...oneThread]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { kl, movers } = JSON.parse(stdout);
  expect(kl.mean).toBe(0);
  expect(movers[0].token).toMatch(/^#\d+$/);
});

test("compare calls no token of a model and itself a mover", async () => {
  const args = ["compare", model, model, "--corpus", at("check.npy"), "--out", at("same"), ...oneThread];
  expect((await unembed(args)).stdout).toMatch(/^largest movers +none: both models give the same output$/m);
});

describe("steer", () => {
  const texts = () => ["--corpus", at("fit.npy"), "--check", at("check.npy"), ...oneThread];

  test("edits tokens that are named by their ids, and applies the plan again", async () => {
    const args = [...texts(), "--context", "32", "--probes", "50", "--allow-unsafe", "--json"];
    const first = await unembed([
      "steer",
      model,
      "--edit",
      "id:5=x0.5",
      "id:7=x3",
      ...args,
      "--texts",
      "2",
      "--out",
      at("steered"),
    ]);
    expect(first.stderr).toContain("has no tokenizer.json: no texts are written");
    expect(first.code).toBe(0);
    const { edits, collateral, generated } = JSON.parse(first.stdout);
    expect(edits.map(({ token }: { token: string }) => token)).toEqual(["#5", "#7"]);
    for (const [index, wanted] of [0.5, 3].entries()) expect(edits[index].actual.fit).toBeCloseTo(wanted, 4);
    expect(collateral.inDomain.movers[0].token).toMatch(/^#\d+$/);
    expect(generated).toBeNull();

    const plan = ["--plan", join(at("steered"), "unembed.json")];
    const again = await unembed(["steer", model, ...plan, ...args, "--quiet", "--out", at("again")]);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(again.stdout).edits[0].reached).toBe(edits[0].reached);
  });

  test("tries tokens drawn at random", async () => {
    const args = ["--sweep", "0.5", "--per-band", "1", ...texts(), "--context", "32", "--report", at("trials")];
    const { code, stdout } = await unembed(["steer", model, ...args, "--json", "--quiet"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).experiments.scales.length).toBeGreaterThan(0);
  });

  test.each([
    [" the=x2", /token " the": is named by text, and the model has no tokenizer\.json: name it as id:N/],
    ["@emoji=x2", /is named by text/],
    ["@word:Voldemort=x2", /names a word, and the model has no tokenizer\.json to spell it/],
    ["id:99999=x2", /does not exist: the model has ids up to \d+/],
  ])("%s is refused", async (edit, message) => {
    const { code, stderr } = await unembed(["steer", model, "--edit", edit, ...texts(), "--out", at("out"), "--quiet"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

test("text is refused, in one line that says what is missing", async () => {
  const { code, stderr } = await unembed(["reduce", model, "--fraction", "0.25", "--dry-run", "--quiet"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^unembed: .*books-fit\.txt.*: is text, and the model has no tokenizer\.json .*\n$/);
});
