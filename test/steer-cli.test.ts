import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-steer-"));
});
afterAll(() => rm(folder, { recursive: true }));

function unembed(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["bin/unembed.js", ...args]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const small = ["--tokens", "4000", "--check-tokens", "1000"];

test("edits are solved, written, read back and measured; the plan is applied again", async () => {
  const out = join(folder, "edited");
  const args = ["steer", "--edit", " the=x0.5", "/^ (sea|ship)$/=x3", ...small, "--out", out, "--json", "--quiet"];
  const { code, stdout, stderr } = await unembed(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { edits, collateral, ...rest } = JSON.parse(stdout);
  expect(edits.map(({ id, ids }: { id: number; ids: number[] }) => [id, ids.length])).toEqual([
    [261, 1],
    [expect.any(Number), 2],
  ]);
  const texts = { fit: expect.any(Number), inDomain: expect.any(Number), outOfDomain: expect.any(Number) };
  const ends = { low: expect.any(Number), high: expect.any(Number) };
  expect(edits[0]).toMatchObject({
    ...{ id: 261, token: " the", probability: expect.any(Number), wanted: 0.5, actual: texts, shortfall: null },
    interval: { fit: ends, inDomain: ends, outOfDomain: ends },
  });
  const perplexity = { before: expect.any(Number), after: expect.any(Number) };
  const number = expect.any(Number);
  for (const text of ["fit", "inDomain", "outOfDomain"]) {
    expect(collateral[text]).toMatchObject({ kl: number, js: number, klOthers: number, top1: number, perplexity });
    expect(collateral[text].kl).toBeLessThan(collateral[text].max.kl);
  }
  expect(rest).toMatchObject({ method: "nearest", size: 1e-4, editNorm: number, out });
  expect(Math.hypot(edits[0].norm, edits[1].norm)).toBeCloseTo(rest.editNorm, 12);
  expect(rest.spread.effectiveDimensions).toBeGreaterThan(1);
  expect(rest.spread.effectiveDimensions).toBeLessThan(256);
  expect(rest.spread.largest).toHaveLength(10);
  for (const [index, wanted] of [0.5, 3].entries()) {
    // Of the head as it lies on the disk: float32 logits, so to their digits.
    expect(Math.abs(Math.log(edits[index].actual.fit / wanted))).toBeLessThan(2e-5);
    expect(Math.abs(Math.log(edits[index].actual.inDomain / edits[index].ideal.inDomain))).toBeLessThan(0.1);
    expect(edits[index].interval.fit.low).toBeLessThan(wanted);
    expect(edits[index].interval.fit.high).toBeGreaterThan(wanted);
  }
  expect(collateral.outOfDomain.klOthers).toBeLessThan(1e-9);
  expect(await readdir(out)).toContain("tokenizer.json");

  const again = join(folder, "again");
  const plan = join(out, "unembed.json");
  const second = await unembed(["steer", "--plan", plan, ...small, "--out", again, "--json", "--quiet"]);
  expect(JSON.parse(second.stdout).edits[0].reached).toBe(edits[0].reached);
  const weights = (place: string) => readFile(join(place, "model.safetensors"));
  expect((await weights(again)).equals(await weights(out))).toBe(true);
});

test("a ban is carried out where the default lambda would keep it from its target, and a given one is kept", async () => {
  const run = async (name: string, ...more: string[]) => {
    const args = ["steer", "--edit", " the=ban", ...small, "--out", join(folder, name), "--json", "--quiet", ...more];
    const { stdout } = await unembed(args);
    const { edits, warnings, size } = JSON.parse(stdout);
    return { ...edits[0], warnings, size };
  };
  const lowered = await run("ban");
  expect(Math.abs(Math.log(lowered.reached / 1e-6))).toBeLessThan(1e-3);
  expect(lowered).toMatchObject({
    shortfall: null,
    warnings: [expect.stringMatching(/lambda was lowered from 0\.0001 to/)],
  });
  expect(lowered.size).toBeLessThan(1e-4);
  const kept = await run("kept", "--size", "1e-4");
  expect(kept).toMatchObject({ size: 1e-4, warnings: [] });
  expect(kept.reached).toBeGreaterThan(2e-6);
  expect(kept.shortfall).toMatch(/; more text, a size below 0\.0001 or a weaker target may reach it$/);
});

test("edits from a file, along the exact constant direction", async () => {
  const file = join(folder, "edits.yaml");
  await writeFile(file, '# less of these\n" the": 0.5\n"/^ (sea|ship)$/": x3\n');
  const args = ["steer", "--edits", file, "--method", "constant", "--exact", ...small, "--out", join(folder, "exact")];
  const { code, stdout, stderr } = await unembed([...args, "--json", "--quiet"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { edits, method } = JSON.parse(stdout);
  expect(method).toBe("constant");
  for (const [index, wanted] of [0.5, 3].entries()) {
    // The direction is 112 long: half-precision rows carry it to a few per mille.
    expect(Math.abs(Math.log(edits[index].actual.fit / wanted))).toBeLessThan(0.02);
    expect(Math.abs(Math.log(edits[index].actual.outOfDomain / edits[index].ideal.outOfDomain))).toBeLessThan(0.05);
  }
});

test("a dry run lists what matched and writes nothing", async () => {
  const { code, stdout } = await unembed([
    "steer",
    "--edit",
    "/^ the/u=x0.5",
    "--dry-run",
    "--out",
    join(folder, "dry"),
  ]);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('" the" (id:261), ') });
  expect(await readdir(folder)).not.toContain("dry");
});

describe("what makes no sense is one clear line", () => {
  const tooMuch = ["--edit", " the=p=0.7", " of=p=0.6", ...small];
  test.each<[string, string[], RegExp]>([
    ["no edit", [], /one of --edit, --edits and --plan is wanted/],
    ["several tokens", ["--edit", " antidisestablish=x2"], /tokens: " ant/],
    [
      "twice the same",
      ["--edit", " the=x2", "id:261=x3"],
      /token " the" \(id:261\) is edited twice: by " the=x2" and by "id:261=x3"/,
    ],
    ["a factor of 0", ["--edit", " the=x0"], /scales by 0/],
    ["probabilities above 1", tooMuch, /edits: /],
    ["a text of several tokens", ["--edit", "\\ufffd=x2"], /token ".*": is shown by \d+ tokens; name one by its id/],
    ["an unknown token", ["--edit", " Captin=ban"], /near it are " Captain" \(id:2613\)/],
    ["a pattern of special tokens", ["--edit", "/endoftext/=ban"], /matches no token/],
    ["a pattern of everything", ["--edit", "/./su=ban", "--edit", "/(?:)/=ban"], /matches/],
    ["text that can be read once only", ["--edit", " the=x2", "--corpus", "-"], /--corpus: - can be read only once/],
    ["a plan that is none", ["--plan", "package.json"], /package\.json: field schema/],
  ])("%s", async (name, args, message) => {
    const out = join(folder, `refused ${name}`);
    const { code, stdout, stderr } = await unembed(["steer", ...args, "--out", out, "--quiet"]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(await readdir(folder)).not.toContain(`refused ${name}`);
  });

  test("a plan for another vocabulary", async () => {
    const { stdout } = await unembed(["steer", "--edit", " the=x2", "--dry-run", "--json"]);
    const plan = JSON.parse(stdout);
    const file = join(folder, "plan.json");
    await writeFile(file, JSON.stringify({ ...plan, vocabulary: { ...plan.vocabulary, sha256: "0" } }));
    const { stderr } = await unembed(["steer", "--plan", file, "--dry-run"]);
    expect(stderr).toMatch(/plan\.json: is a plan for another vocabulary than that of tiny-books/);
  });
});
