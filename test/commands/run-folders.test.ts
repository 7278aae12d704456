import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unembed } from "../support/command.js";
import { smallBooks } from "../support/small-books.js";

let folder: string;
let text: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-folders-"));
  text = join(folder, "text.txt");
  model = await smallBooks(join(folder, "small-books"));
  await writeFile(text, "It was the best of times, it was the worst of times, it was the age of wisdom. ".repeat(9));
});
afterAll(() => rm(folder, { recursive: true }));

/** Each command on as little as it takes; what it writes is at `out`. */
const commands: [string, (out: string) => string[], string[]][] = [
  ["analyze", (out) => [model, "--corpus", text, "--tokens", "40", "--out", out], ["--context", "20"]],
  ["compare", (out) => [model, model, "--corpus", text, "--tokens", "40", "--out", out], ["--movers", "3"]],
];

test.each(commands)(
  "%s again takes its own run's place, and another one's only if it is told to",
  async (name, of, other) => {
    const out = join(folder, name);
    const run = (...more: string[]) => unembed([name, ...of(out), "--quiet", ...more]);
    expect(await run()).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await run("--threads", "1")).stderr).toBe("");
    const before = await readFile(join(out, "run.json"), "utf8");
    const refused = await run(...other);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^unembed: \S+: holds another run: unembed .*; --force replaces it\n$/);
    expect(await readFile(join(out, "run.json"), "utf8")).toBe(before);
    expect(await run(...other, "--force")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(JSON.parse(await readFile(join(out, "run.json"), "utf8")).asked.arguments).toMatchObject({ force: true });
  },
);

test("count keeps a file that is there", async () => {
  const out = join(folder, "counts.csv");
  await writeFile(out, "mine");
  const run = (...more: string[]) => unembed(["count", "--corpus", text, "--out", out, "--quiet", ...more]);
  expect(await run()).toEqual({
    code: 1,
    stdout: "",
    stderr: `unembed: ${out}: is there already; --force replaces it\n`,
  });
  expect(await readFile(out, "utf8")).toBe("mine");
  expect((await run("--force")).code).toBe(0);
  expect(await readFile(out, "utf8")).toMatch(/^id,count\n/);
});

test("while one process writes to a folder another one fails, until the first is gone, however it went", async () => {
  const out = join(folder, "shared");
  const endless = ["bin/unembed.js", "analyze", model, "--corpus", "-", "--out", out, "--quiet"];
  const first = spawn(process.execPath, endless, { stdio: ["pipe", "inherit", "inherit"] });
  const ended = new Promise((resolve) => first.on("close", resolve));
  const lock = join(folder, ".unembed-lock-shared");
  // Until the lock says whose it is: it is there a moment before that.
  while (!((await stat(lock).catch(() => undefined))?.size ?? 0) && first.exitCode === null)
    await new Promise((go) => setTimeout(go, 20));
  const second = () => unembed(["analyze", model, "--corpus", text, "--tokens", "40", "--out", out, "--quiet"]);
  const refused = await second();
  expect(refused.stderr).toMatch(
    new RegExp(`^unembed: \\S+shared: process ${first.pid} on \\S+ has been writing there`),
  );
  expect(refused.code).toBe(1);
  first.kill("SIGKILL");
  await ended;
  expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([".unembed-lock-shared"]);
  expect(await second()).toEqual({ code: 0, stdout: "", stderr: "" });
  expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
});
