import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unembed } from "../support/command.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-steer-"));
});
afterAll(() => rm(folder, { recursive: true }));

// One thread: another test file runs beside this one. Two windows of each text at least, for an interval between them.
const small = ["--tokens", "800", "--check-tokens", "300", "--probes", "150", "--threads", "1"];

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
  expect(rest).toMatchObject({ generated: null, method: "nearest", size: 1e-4, editNorm: number, out });
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
    for (const { low, high } of Object.values<{ low: number; high: number }>(edits[index].interval)) {
      expect(low).toBeLessThan(high);
    }
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

test("texts from the same prompts and seeds show what became of the tokens", async () => {
  const out = join(folder, "texts");
  const args = [
    "steer",
    "--edit",
    " the=x0.001",
    ",=x0.5",
    ...small,
    "--tokens",
    "400",
    "--check-tokens",
    "100",
    "--texts",
    "12",
    "--text-tokens",
    "20",
    "--force",
  ];
  const prompts = ["--prompt", "It was", "She said"];
  const { stdout } = await unembed([...args, ...prompts, "--out", out, "--json", "--quiet"]);
  const { generated } = JSON.parse(stdout);
  expect(generated.pairs.map(({ prompt, seed }: { prompt: string; seed: number }) => [prompt, seed])).toEqual(
    ["It was", "She said"].flatMap((prompt) => [0, 1, 2, 3, 4, 5].map((seed) => [prompt, seed])),
  );
  const [the] = generated.occurrences;
  expect(the.before).toBeGreaterThan(0);
  expect(the).toMatchObject({ after: 0, rate: { before: the.before / generated.tokens.before, after: 0 } });
  interface Piece {
    text: string;
    edited: boolean;
  }
  const marked = (when: "before" | "after") =>
    generated.pairs
      .flatMap((pair: Record<string, Piece[]>) => pair[when]!)
      .filter(({ edited }: Piece) => edited)
      .map(({ text }: Piece) => text);
  expect(marked("before").filter((text: string) => text === " the")).toHaveLength(the.before);
  expect(marked("after")).not.toContain(" the");
  const run = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  expect(run.results.generated).toEqual(generated);
  expect(await readFile(join(out, "report.html"), "utf8")).toContain("<mark> the</mark>");
  const card = await readFile(join(out, "README.md"), "utf8");
  expect(card).toMatch(/^---\nlicense: cc0-1\.0\n[\s\S]*\nbase_model: tiny-books\nbase_model_relation: finetune\n/);
  expect(card).toContain("| `␣the` (id 261) | ");
  expect(card).toContain("\n# tiny-books\n\nA small GPT-2");

  const shown = await unembed([...args, "--out", out]);
  const lines = shown.stdout.split("\n");
  expect(lines[0]).toMatch(/^in 12 generated texts +before +after$/);
  expect(lines[1]).toMatch(/^ {2}" the" +\d+ \([\d.]+%\) +\d+ \([\d.]+%\)$/);
  const sideBySide = lines.filter((line) => line.slice(38, 41) === " | ");
  expect(sideBySide.length).toBeGreaterThan(5);
  expect(Math.max(...sideBySide.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("a ban keeps a bound in every context, and changes nothing for the edits beside it", async () => {
  const asking = ["--edit", " the=ban", " of=x0.5", "id:3=ban=1e-9"];
  const args = ["steer", ...asking, ...small, "--check-tokens", "500", "--probes", "200"];
  const { code, stdout, stderr } = await unembed([...args, "--out", join(folder, "ban"), "--json", "--quiet"]);
  // A billionth is less than any row leaves that keeps a bound.
  expect({ code, stderr }).toEqual({
    code: 3,
    stderr: expect.stringMatching(/^unembed: a target was missed; .*ban has the/),
  });
  const { edits, warnings } = JSON.parse(stdout);
  const [ban, beside, asked] = edits;
  expect(ban).toMatchObject({ method: "combination", met: true, bound: { proven: true }, shortfall: null });
  expect(ban.bound.probability).toBeLessThanOrEqual(5e-4);
  expect(ban.reached).toBeLessThan(1e-3);
  expect(ban.probes.contexts).toBeGreaterThan(200);
  expect(ban.probes.largest.after).toBeLessThanOrEqual(ban.bound.probability);
  expect(ban.probes.largest.after).toBeLessThan(ban.probes.largest.before);
  expect(ban.probes.worst).toHaveLength(5);
  expect(beside).toMatchObject({ method: "nearest", lambda: 1e-4, met: true, bound: null });
  expect(Math.abs(Math.log(beside.reached / 0.5))).toBeLessThan(1e-4);
  expect(beside.norm).toBeLessThan(2);
  expect(asked).toMatchObject({ method: "combination", met: false, wanted: 1e-9, bound: { proven: true } });
  expect(asked.shortfall).toMatch(/no row that keeps a bound in every context leaves less$/);
  expect(warnings).toEqual([]);
});

test("a ban by a method that was asked for keeps a given lambda, and says what it leaves", async () => {
  const args = ["steer", "--edit", " the=ban", "--method", "nearest", "--size", "1e-4", ...small];
  const { code, stdout } = await unembed([...args, "--out", join(folder, "kept"), "--json", "--quiet"]);
  expect(code).toBe(3);
  const { edits, warnings, size } = JSON.parse(stdout);
  expect({ size, warnings }).toEqual({ size: 1e-4, warnings: [] });
  expect(edits[0]).toMatchObject({ method: "nearest", lambda: 1e-4, met: false, bound: null, probes: { opposite: 0 } });
  expect(edits[0].reached).toBeGreaterThan(2e-6);
  expect(edits[0].shortfall).toMatch(/; more text, a size below 0\.0001 or a weaker target may reach it$/);
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

test("documents of JSON lines are read as they are asked to be, on every text", async () => {
  const file = join(folder, "documents.jsonl");
  const document = (body: string) => `${JSON.stringify({ body, text: "never read" })}\n`;
  await writeFile(file, document("The ship went down to the sea. ").repeat(30));
  const reading = ["--probes", "50", "--corpus", file, "--check", file, "--field", "body", "--threads", "1"];
  const run = async (name: string, ...more: string[]) => {
    const args = ["steer", "--edit", " sea=x2", ...reading, "--out", join(folder, name), "--json", "--quiet", ...more];
    const { code, stdout, stderr } = await unembed(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };
  const [within, without] = [await run("within"), await run("without", "--separator", "none")];
  for (const { edits } of [within, without]) {
    expect(edits[0].actual.fit).toBeCloseTo(2, 4);
    expect(edits[0].actual.inDomain).toBe(edits[0].actual.fit);
    expect(edits[0].actual.outOfDomain).toBeUndefined();
  }
  // With the end of text between them, the documents' first words are other contexts.
  expect(within.edits[0].probability).not.toBe(without.edits[0].probability);
});

test("an edit holds after tokens that the fitting text lacks; unguarded it does the opposite, which is warned about", async () => {
  const file = join(folder, "odd.txt");
  await writeFile(file, "It cost £5 and the café was naïve; º ü é £ Â ".repeat(20));
  const run = async (name: string, ...more: string[]) => {
    const out = join(folder, name);
    const args = ["steer", "--edit", " Ivan=x0.05", ...small, "--tokens", "1200", "--check", file, "--out", out];
    const { code, stdout, stderr } = await unembed([...args, "--json", "--quiet", ...more]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { plan } = JSON.parse(await readFile(join(out, "unembed.json"), "utf8"));
    const { edits, warnings } = JSON.parse(stdout);
    return { guard: plan.guard, actual: edits[0].actual.inDomain, warnings };
  };
  const [guarded, alone] = [await run("guarded"), await run("alone", "--no-guard")];
  expect(guarded).toMatchObject({ guard: true, warnings: [] });
  expect(guarded.actual).toBeLessThan(0.2);
  expect(alone.guard).toBe(false);
  expect(alone.actual).toBeGreaterThan(1);
  expect(alone.warnings).toEqual([expect.stringMatching(/on unseen text .* Ivan=x0\.05.* times as likely, not 0\.05/)]);
});
