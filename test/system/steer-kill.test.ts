import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeNpy } from "../../src/tensor/npy.js";

let inputs: string;
let folder: string;
beforeAll(async () => {
  inputs = await mkdtemp(join(tmpdir(), "unembed-killed-"));
  await cp("test/goldens/arch/llama_gqa", join(inputs, "model"), { recursive: true });
  // Copied before the weights: writing so small a model takes long enough to be ended in.
  const readme = join(inputs, "model", "README.md");
  await writeFile(readme, "");
  await truncate(readme, 16 * 2 ** 20);
  const ids = Int32Array.from({ length: 300_000 }, (_, t) => (t * 7 + ((t * t) % 13)) % 160);
  await writeFile(join(inputs, "ids.npy"), writeNpy({ dtype: "I32", shape: [ids.length], data: ids }));
});
afterAll(() => rm(inputs, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-kill-"));
});
afterEach(() => rm(folder, { recursive: true }));

const small = ["--probes", "50", "--tokens", "800", "--check-tokens", "300"];
/** Seconds of solving, or of measuring: no moment is over before the signal comes. */
const longToSolve = ["--probes", "50", "--tokens", "100000", "--check-tokens", "300"];
const longToMeasure = ["--probes", "50", "--tokens", "800", "--check-tokens", "300000"];
const long = (moment: string) => (moment === "while it solves" ? longToSolve : longToMeasure);

function start(args: string[]) {
  const out = join(folder, "out");
  const ids = join(inputs, "ids.npy");
  const child = spawn(process.execPath, [
    ...["bin/unembed.js", "steer", join(inputs, "model"), "--edit", "id:5=x2", "--corpus", ids, "--check", ids],
    ...["--threads", "1", "--out", out, ...args],
  ]);
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stderr }));
  });
  return { child, ended, said: () => stderr };
}

const names = () => readdir(folder);
const staged = async () => (await names()).find((name) => name.startsWith(".unembed-tmp-"));

/** When the command has come so far. */
const moments: Record<string, (said: string) => Promise<boolean>> = {
  "while it solves": async (said) => said.includes("is about"),
  "while it writes": async () => (await staged()) !== undefined,
  "while it measures": async () => {
    const stage = await staged();
    return stage !== undefined && (await readdir(join(folder, stage))).includes("model.safetensors");
  },
};

async function reached(moment: string, child: ChildProcess, said: () => string): Promise<void> {
  while (child.exitCode === null && !(await moments[moment]!(said()))) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe.each(Object.keys(moments))("ended %s", (moment) => {
  test("by Ctrl-C: nothing is left, and that is said", async () => {
    const { child, ended, said } = start(long(moment));
    await reached(moment, child, said);
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/unembed: interrupted; nothing was written\n$/);
    expect(code).toBe(130);
    expect(await names()).toEqual([]);
  });

  test("by the system: no folder of the name, and the next run clears the rest away", async () => {
    const { child, ended, said } = start(long(moment));
    await reached(moment, child, said);
    child.kill("SIGKILL");
    expect((await ended).signal).toBe("SIGKILL");
    expect((await names()).filter((name) => !/^\.unembed-(tmp|lock)-/.test(name))).toEqual([]);
    const again = await start([...small, "--quiet"]).ended;
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(await names()).toEqual(["out"]);
    const record = JSON.parse(await readFile(join(folder, "out", "unembed.json"), "utf8"));
    expect(record.measured.edits[0].actual.fit).toBeCloseTo(2, 4);
    expect(record.unembed).toMatch(/^\d/);
  });
});

test("by Ctrl-C twice in a hurry: nothing is left either", async () => {
  const { child, ended, said } = start(longToMeasure);
  await reached("while it measures", child, said);
  child.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGINT");
  // Where all is cleared away already, the second one is the system's to answer.
  const { code, signal } = await ended;
  expect(code ?? signal).toSatisfy((end) => end === 130 || end === "SIGINT");
  expect(await names()).toEqual([]);
});

test("a folder that was being replaced keeps its name, or gets it back", async () => {
  const out = join(folder, "out");
  await mkdir(out);
  await writeFile(join(out, "config.json"), "old");
  for (const moment of ["while it writes", "while it measures"]) {
    const { child, ended, said } = start([...longToMeasure, "--force"]);
    await reached(moment, child, said);
    child.kill("SIGKILL");
    await ended;
    expect(await readFile(join(out, "config.json"), "utf8")).toBe("old");
  }
  // What a process that was killed between its two renames leaves, by the name of one that ended.
  const stage = (await staged())!;
  const aside = stage.replace(".unembed-tmp-", ".unembed-old-");
  await mkdir(join(folder, aside));
  await rename(out, join(folder, aside, "out"));
  const refused = await start([...small]).ended;
  expect(refused.stderr).toMatch(/out: is there already; --force replaces it/);
  expect(await names()).toEqual(["out"]);
  expect(await readFile(join(out, "config.json"), "utf8")).toBe("old");
  expect(await start([...small, "--force", "--quiet"]).ended).toMatchObject({ code: 0, stderr: "" });
  expect(await names()).toEqual(["out"]);
  expect(await readdir(out)).toContain("unembed.json");
});
