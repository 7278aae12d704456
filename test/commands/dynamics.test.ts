import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFileSource } from "../../src/node/files/file-source.js";
import { bytesSource } from "../../src/tensor/byte-source.js";
import { writeNpy } from "../../src/tensor/npy.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../../src/tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../src/tensor/safetensors/write-safetensors.js";
import { unembed, unembedProcess } from "../support/command.js";
import { startHubServer } from "../support/hub-server.js";

const series = "assets/tiny-books-neox";
const counts = `${series}/token-counts.npy`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-dynamics-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("unembed dynamics", () => {
  test("alone shows the training run that comes along, as numpy has it, and writes the run", async () => {
    const out = join(folder, "embedded");
    const { code, stdout, stderr } = await unembed(["dynamics", "--out", out, "--json"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^probe \[#+-+\] 1 of 16 step 0: cross-validated R2 -0\.0423\n/);
    const printed = JSON.parse(stdout);
    const golden = JSON.parse(await readFile("test/goldens/dynamics/dynamics.json", "utf8"));
    for (const [k, wanted] of golden.probe.entries()) {
      const found = printed.checkpoints[k];
      expect(found.step).toBe(wanted.step);
      for (const key of ["r2", "adjustedR2", "crossValidatedR2", "spearman", "intercept", "slopeNorm"]) {
        expect(Math.abs(found[key] / wanted[key] - 1), `${key} at step ${wanted.step}`).toBeLessThan(1e-6);
      }
    }
    // The readout is there long before the parameters are half-way.
    const { encoding, timesEarlier } = printed.onset.shares["50"];
    expect(encoding.step).toBe(64);
    expect(timesEarlier.interval.low).toBeGreaterThan(10);
    expect(printed.randomEmbedding.source).toBe("initial checkpoint");

    expect((await readdir(out)).sort()).toEqual(["report.html", "run.json", "tensors.safetensors"]);
    const run = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
    expect(run).toMatchObject({ schema: "unembed-run", kind: "dynamics", seed: 0, model: { name: "tiny-books-neox" } });
    expect(run.results.checkpoints).toEqual(printed.checkpoints);
    expect(run.results.convergence.layers).toHaveLength(4);
    const { tensors } = await readSafetensorsHeader(await openFileSource(join(out, "tensors.safetensors")));
    expect(tensors.get("slopes")!.shape).toEqual([16, 128]);
    expect([...(await readTensorFloat64(tensors.get("steps")!))].slice(-2)).toEqual([4000, 5000]);
    expect(await readFile(join(out, "report.html"), "utf8")).toContain("<!doctype html>");
  });

  test("measures the convergence of what is there, on counts of a text with the tokenizer found beside", async () => {
    const out = join(folder, "counted");
    const args = ["dynamics", `${series}/steps/step{0,32,5000}`, "--corpus", "assets/corpus/speeches.txt"];
    const { code, stdout } = await unembed([...args, "--convergence", "--out", out, "--quiet", "--json"]);
    expect(code).toBe(0);
    const printed = JSON.parse(stdout);
    expect(printed.frequencies).toMatchObject({ kind: "add-one", source: "assets/corpus/speeches.txt", tokens: 4096 });
    expect(printed.checkpoints.at(-1).crossValidatedR2).toBeGreaterThan(0.5);
    const run = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
    expect(run.results.convergence.parts.map(({ name }: { name: string }) => name)).toEqual(["head"]);
    expect(run.results.log).toBeNull();
  });

  test("takes mean output probabilities that analyze measured in place of frequencies", async () => {
    const analysis = join(folder, "analysis");
    const model = "test/goldens/arch/gpt2";
    const ids = join(folder, "ids.npy");
    const data = Int32Array.from({ length: 500 }, (_, t) => (t * t * 7 + 3 * t) % 160);
    await writeFile(ids, writeNpy({ dtype: "I32", shape: [500], data }));
    const measured = await unembed(["analyze", model, "--corpus", ids, "--out", analysis, "--quiet"]);
    expect(measured.code).toBe(0);
    const run = join(folder, "tied");
    for (const step of [1, 2]) await cp(model, join(run, `step${step}`), { recursive: true });
    const args = ["dynamics", run, "--probabilities", analysis, "--out", join(folder, "p"), "--quiet", "--json"];
    const { code, stdout } = await unembed(args);
    expect(code).toBe(0);
    const analyzed = JSON.parse(await readFile(join(analysis, "run.json"), "utf8")).results;
    const [one, two] = JSON.parse(stdout).checkpoints;
    for (const key of ["r2", "adjustedR2", "crossValidatedR2", "spearman", "gini"]) {
      expect(Math.abs(one[key] / analyzed[key] - 1), key).toBeLessThan(1e-9);
      expect(two[key], key).toBe(one[key]);
    }
  });

  test("interrupted, keeps what it has and goes on from there to the same numbers", async () => {
    const out = join(folder, "interrupted");
    const interrupted = await unembedProcess(["dynamics", "--out", out], {
      interruptWhen: ({ stderr }) => stderr.includes("3 of 16"),
    });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stdout).toBe("");
    expect(interrupted.stderr).toContain("started again with the same arguments it goes on from here");
    expect(await readdir(out)).toEqual(["unfinished"]);
    const kept = await readdir(join(out, "unfinished"));
    expect(kept.length).toBeGreaterThanOrEqual(3);
    expect(kept.length).toBeLessThan(16);
    const again = await unembed(["dynamics", "--out", out, "--quiet"]);
    expect(again).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect((await readdir(out)).sort()).toEqual(["report.html", "run.json", "tensors.safetensors"]);
    const [ours, whole] = await Promise.all(
      [out, join(folder, "embedded")].map((run) => readFile(join(run, "tensors.safetensors"))),
    );
    expect(ours!.equals(whole!)).toBe(true);
  });

  test("prints a table that fits 80 columns", async () => {
    const args = ["dynamics", `${series}/steps/step{0,32,5000}`, "--frequencies", counts, "--out", join(folder, "t")];
    const { code, stdout } = await unembed(args);
    expect(code).toBe(0);
    expect(stdout).toContain("50% of final cv R2");
    const lines = stdout.split("\n").filter((line) => !line.startsWith("report"));
    expect(Math.max(...lines.slice(1).map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test.each<[string, () => Promise<string[]>, RegExp, number?]>([
    ["no frequencies", async () => [`${series}/steps`], /--frequencies: is missing: .*unembed count/, 2],
    [
      "two kinds of frequencies",
      async () => [`${series}/steps`, "--frequencies", counts, "--corpus", "README.md"],
      /--corpus: and --frequencies exclude each other/,
      2,
    ],
    ["a missing file of counts", async () => ["--frequencies", join(folder, "none.npy")], /none\.npy: does not exist/],
    [
      "counts of another vocabulary",
      async () => {
        await writeFile(join(folder, "few.json"), JSON.stringify(Array(100).fill(1)));
        return ["--frequencies", join(folder, "few.json")];
      },
      /few\.json: counts 100 ids where the output embedding has 4096 rows/,
    ],
    [
      "counts that are all zero",
      async () => {
        await writeFile(join(folder, "zero.json"), JSON.stringify(Array(4096).fill(0)));
        return ["--frequencies", join(folder, "zero.json")];
      },
      /zero\.json: all counts are zero/,
    ],
    [
      "checkpoints of two models",
      async () => {
        await mkdir(join(folder, "mixed"), { recursive: true });
        await cp(`${series}/steps/step1`, join(folder, "mixed", "step1"), { recursive: true });
        await cp("assets/tiny-books", join(folder, "mixed", "step2"), { recursive: true });
        return [join(folder, "mixed"), "--frequencies", counts];
      },
      /step2: its output embedding is 8192 x 256, and 4096 x 128 in .*step1: another vocabulary/,
    ],
    ["a text without a tokenizer", async () => [join(folder, "mixed", "step1"), "--corpus", "LICENSE"], /--tokenizer/],
    ["a log without loss", async () => ["--log", "package.json"], /package\.json: field "log_history" is missing/],
  ])("%s is one clear line, and no run is written", async (name, makeArgs, message, exit = 1) => {
    const args = await makeArgs();
    const out = join(folder, `refused ${name}`);
    const { code, stdout, stderr } = await unembed(["dynamics", ...args, "--out", out, "--quiet"]);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: exit, stdout: "" });
    expect(await readdir(out).catch(() => [])).toEqual([]);
  });
});

test("of a run on the hub, fetches the output embeddings alone, says how much that is, and lists the steps", async () => {
  const hub = await startHubServer();
  try {
    const steps = [0, 32, 5000];
    for (const step of steps) await hub.add("org/run", `step${step}`, `${series}/steps/step${step}`);
    // What a whole checkpoint has besides, at its end.
    const embedding = await readFile(`${series}/steps/step8/model.safetensors`);
    const { tensors } = await readSafetensorsHeader(bytesSource("step8", embedding));
    const [entry] = tensors.values();
    const data = embedding.subarray(entry!.offset);
    const rest = { name: "z.weight", dtype: "F32" as const, shape: [1_000_000], data: new Float32Array(1_000_000) };
    const whole = writeSafetensors([{ name: "embed_out.weight", dtype: "F16", shape: [4096, 128], data }, rest]);
    await hub.add("org/run", "step8", { "model.safetensors": whole });
    const branches = ["main", "step0", "step8", "step32", "step5000"].map((name) => ({ name }));
    hub.faults.push({ path: /\/refs$/, status: 200, body: JSON.stringify({ branches, tags: [] }), times: 9 });
    const environment = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(folder, "hub"), HF_HUB_OFFLINE: "" };
    const listed = await unembed(["dynamics", "org/run", "--list"], { environment });
    expect(listed).toMatchObject({ code: 0, stdout: "step0\nstep8\nstep32\nstep5000\n" });
    const args = ["dynamics", "org/run@step{0,8,32,5000}", "--frequencies", counts, "--out", join(folder, "remote")];
    const { code, stdout, stderr } = await unembed(args, { environment });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("fetch [") });
    expect(stdout).toMatch(/^fetched +4\.2 MB of checkpoints of 8 MB$/m);
    expect(hub.bytesSent(/signature/)).toBeLessThan(4 * (4096 * 128 * 2 + 1000));

    // Folders and revisions mixed, by a range and a doubling; what was fetched before is not fetched again.
    const sent = hub.bytesSent(/signature/);
    const mix = [`${series}/steps/step{64,128,...,256,1000..2000:1000}`, "org/run@step{0..8:8,32}"];
    const mixed = await unembed(
      ["dynamics", ...mix, "--frequencies", counts, "--json", "--out", join(folder, "mixed run")],
      { environment },
    );
    expect(JSON.parse(mixed.stdout).checkpoints.map(({ step }: { step: number }) => step)).toEqual([
      0, 8, 32, 64, 128, 256, 1000, 2000,
    ]);
    expect(hub.bytesSent(/signature/)).toBe(sent);

    const all = [
      "dynamics",
      "org/run@step{0,32}",
      "--frequencies",
      counts,
      "--convergence",
      "--out",
      join(folder, "all"),
    ];
    const convergence = await unembed(all, { environment });
    expect(convergence.code).toBe(0);
    expect(convergence.stderr).toMatch(/the convergence needs all of 2 checkpoints on the hub \(2\.1 MB in all\)/);
  } finally {
    await hub.close();
  }
});

describe("unembed count", () => {
  test.each(["npy", "csv", "json", "safetensors"])("counts the tokens of a text into a .%s file", async (ending) => {
    const out = join(folder, "deep", `counts.${ending}`);
    const args = ["count", "--corpus", "test/goldens/tiny-books/text.txt", "--out", out, "--quiet", "--json"];
    const { code, stdout } = await unembed(args);
    expect(code).toBe(0);
    const ids = JSON.parse(await readFile("test/goldens/tiny-books/token-ids.json", "utf8"));
    expect(JSON.parse(stdout)).toMatchObject({ tokens: 23236, vocabSize: 8192, out });
    expect(JSON.stringify(ids)).toContain("23236");
    const used = await unembed(["dynamics", "--frequencies", out, "--out", join(folder, "c"), "--quiet"]);
    // Of another tokenizer's 8,192 ids, those from 4,096 on are counted too.
    expect(used.stderr).toMatch(/counts 8192 ids, and id \d+ \d+ times, where the output embedding has 4096 rows/);
  });

  test("stops after the tokens asked for, and refuses a file that it cannot write", async () => {
    const out = join(folder, "some.csv");
    const { code, stdout } = await unembed(["count", "tiny-books-neox", "--tokens", "1000", "--out", out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1,000 tokens, \d+ of 4,096 ids occur: /);
    expect((await readFile(out, "utf8")).split("\n")).toHaveLength(4096 + 2);
    const refused = await unembed(["count", "--out", join(folder, "counts.xlsx")]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/no ending that says how to write it: \.npy, \.json, \.csv, \.safetensors/);
  });
});
