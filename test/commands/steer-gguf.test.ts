import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFileSource } from "../../src/node/files/file-source.js";
import { readGgufFile } from "../../src/tensor/gguf/gguf-file.js";
import { unembed } from "../support/command.js";
import { shardedBytes } from "../support/gguf-shards.js";

const golden = (name: string) => `test/goldens/gguf/${name}.gguf`;
const small = [
  "--tokens",
  "300",
  "--context",
  "32",
  "--check-tokens",
  "100",
  "--probes",
  "60",
  "--threads",
  "1",
  "--quiet",
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-gguf-"));
});
afterAll(() => rm(folder, { recursive: true }));

const steer = (model: string, out: string, ...args: string[]) =>
  unembed(["steer", model, ...args, ...small, "--out", out]);

// The figures that rows in each type are to reach, in ln(alpha / target).
test.each([
  ["tiny-gpt2-Q4_0", 7e-3],
  ["tiny-llama-Q8_0", 4e-4],
  ["tiny-llama256-Q4_K_M", 2e-3],
  ["tiny-gpt2-F16", 1e-4],
])("%s: targets hold in what is written, and the file says what was done", async (name, near) => {
  const out = join(folder, `${name}.gguf`);
  const { code, stdout, stderr } = await steer(golden(name), out, "--edit", "id:265=x0.5", "id:270=x3", "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { edits, collateral } = JSON.parse(stdout);
  for (const [index, wanted] of [0.5, 3].entries()) {
    expect(Math.abs(Math.log(edits[index].actual.fit / wanted))).toBeLessThan(near);
  }
  expect(collateral.fit.klOthers).toBeLessThan(1e-9);
  const report = join(folder, `${name}.report`);
  expect((await readdir(report)).sort()).toEqual(["report.html", "run.json", "unembed.json"]);
  const { plan } = JSON.parse(await readFile(join(report, "unembed.json"), "utf8"));
  const { metadata } = await readGgufFile(await openFileSource(out));
  expect(JSON.parse(metadata.get("unembed.plan") as string)).toEqual(plan);
  // Nothing else is left there.
  const left = (await readdir(folder)).filter((entry) => entry.startsWith("."));
  expect(left).toEqual([]);
});

test("a ban in a head of four bits takes another token's blocks, or a finer type", async () => {
  const out = join(folder, "banned.gguf");
  const coarse = await steer(golden("tiny-gpt2-Q4_0"), out, "--edit", "id:265=ban", "--json");
  expect(coarse.stderr).toBe("");
  const [edit] = JSON.parse(coarse.stdout).edits;
  expect(edit.probes.largest.after).toBeLessThanOrEqual(edit.bound.probability);
  const finer = await steer(
    golden("tiny-gpt2-Q4_0"),
    out,
    "--edit",
    "id:265=ban",
    "--head-type",
    "F16",
    "--json",
    "--force",
  );
  expect(finer.stderr).toBe("");
  expect(JSON.parse(finer.stdout).edits[0]).toMatchObject({ method: "combination", bound: { proven: true } });
  expect((await readGgufFile(await openFileSource(out))).tensors.get("output.weight")?.type).toBe("F16");
});

test("a model in shards is written as shards into a folder", async () => {
  const source = join(folder, "source");
  const files = await shardedBytes(await readGgufFile(await openFileSource(golden("tiny-gpt2-Q4_0"))));
  await mkdir(source);
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(source, name), bytes);
  const [first, second] = Object.keys(files) as [string, string];
  const out = join(folder, "sharded");
  const { code, stderr } = await steer(join(source, first), out, "--edit", "id:265=x2", "--report", join(folder, "r"));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect((await readdir(out)).sort()).toEqual([first, second]);
  expect(await readdir(join(folder, "r"))).toContain("run.json");
  const generated = await unembed([
    "generate",
    join(out, first),
    "--prompt",
    "the",
    "--max-tokens",
    "3",
    "--threads",
    "1",
  ]);
  expect(generated.code).toBe(0);
});

test("a tokenizer of another model stands in for the file's own", async () => {
  const out = join(folder, "other.gguf");
  const args = ["--edit", " the=x2", "--dry-run"];
  const own = await steer(golden("tiny-gpt2-F16"), out, ...args);
  expect(own.stdout).toContain("id:260");
  const { code, stdout } = await steer(golden("tiny-gpt2-F16"), out, ...args, "--tokenizer", golden("families/qwen2"));
  expect(stdout).toContain("id:259");
  expect(code).toBe(0);
});

describe("refuses before the work", () => {
  test.each<[string, string[], string, number]>([
    ["another format's file name", ["out"], "is no name for a GGUF file: NAME.gguf is wanted", 1],
    ["the model's own file", ["own.gguf"], "is the model's own place: write elsewhere", 1],
    ["a folder in place of the file", ["folder.gguf"], "is a folder where a file is wanted: NAME.gguf", 1],
    ["a file that is there", ["there.gguf"], "is there already", 1],
    ["a report that is there", ["new.gguf", "--report", "there"], "is there already", 1],
    ["a folder that holds no report", ["new.gguf", "--report", "there", "--force"], "holds no report (run.json)", 1],
    [
      "a head type beside a tied embedding",
      ["new.gguf", "--keep-tied", "--head-type", "F16"],
      "--head-type: is not for",
      2,
    ],
    [
      "a head type of another format",
      ["new", "--format", "onnx", "--head-type", "F16"],
      "--head-type: is for GGUF files",
      2,
    ],
  ])("%s", async (_, [out, ...args], message, exit) => {
    const at = join(folder, "refusals");
    await mkdir(join(at, "folder.gguf"), { recursive: true });
    await mkdir(join(at, "there"), { recursive: true });
    await writeFile(join(at, "there", "mine.txt"), "");
    await writeFile(join(at, "there.gguf"), "");
    await copyFile(golden("tiny-gpt2-Q4_0"), join(at, "own.gguf"));
    const placed = args.map((arg) => (arg === "there" ? join(at, arg) : arg));
    const { code, stderr } = await steer(join(at, "own.gguf"), join(at, out!), "--edit", "id:265=x2", ...placed);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
    expect((await stat(join(at, "own.gguf"))).size).toBe((await stat(golden("tiny-gpt2-Q4_0"))).size);
  });

  test.each([
    ["reduce", "--keep", "those hold no factored head"],
    ["trim", "--max-vocab", "of those rows can't be cut"],
  ])("a GGUF file's name for what %s writes", async (command, amount, reason) => {
    const { code, stderr } = await unembed([command, golden("tiny-gpt2-Q4_0"), amount, "8", "--out", "small.gguf"]);
    expect(stderr).toContain(`--out: is a GGUF file's name: ${reason}`);
    expect(code).toBe(2);
  });

  test("GGUF of a model that is none", async () => {
    const { code, stderr } = await steer(
      "test/goldens/arch/gpt2",
      join(folder, "x.gguf"),
      "--edit",
      "id:5=x2",
      "--format",
      "gguf",
    );
    expect(stderr).toContain("--format: gguf is for models that come as a GGUF file");
    expect(code).toBe(2);
  });
});
