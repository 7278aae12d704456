import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeNpy } from "../../src/tensor/npy.js";
import { unembed, unembedProcess } from "../support/command.js";

const generate = (args: string[], input = "") => unembed(["generate", ...args], { input });

const golden = JSON.parse(await readFile("test/goldens/generated.json", "utf8"))["tiny-books"];

test("greedy: what transformers writes, as JSON and as text", async () => {
  const prompts = golden.texts.flatMap((text: string) => ["--prompt", text]);
  const json = await generate([...prompts, "--temperature", "0", "--max-tokens", "60", "--json", "--quiet"]);
  expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 0, stderr: "" });
  const printed = JSON.parse(json.stdout);
  expect(printed).toMatchObject({ model: "tiny-books", maxTokens: 60, temperature: 0, seed: 0 });
  expect(printed.texts.map(({ ids }: { ids: number[] }) => ids)).toEqual(golden.generated);
  expect(printed.texts[2]).toMatchObject({ prompt: 2, sample: 0, promptText: golden.texts[2], restarts: 0 });

  const args = ["--temperature", "0", "--max-tokens", "60"];
  const streamed = await generate(["--prompt", "-", ...args], `${golden.texts[0]}\n`);
  expect(streamed.stdout).toBe(`${golden.texts[0]}${printed.texts[0].text}\n`);
  expect(streamed.stderr).toMatch(/^60 tokens, [\d.]+ tokens\/s\n$/);
});

test("token ids go on as their text does, from the command line and from the rows of a file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "unembed-ids-"));
  const greedy = ["--temperature", "0", "--max-tokens", "5"];
  const [first, second] = golden.prompts as number[][];
  const one = await generate(["--prompt-ids", first!.join(","), ...greedy, "--quiet"]);
  expect(one.stdout).toBe((await generate(["--prompt", golden.texts[0], ...greedy, "--quiet"])).stdout);
  const length = Math.min(first!.length, second!.length);
  const rows = [first!, second!].flatMap((ids) => ids.slice(0, length));
  const file = join(folder, "prompts.npy");
  await writeFile(
    file,
    writeNpy({ dtype: "I32", shape: [2, length], data: new Uint8Array(Int32Array.from(rows).buffer) }),
  );
  const json = await generate(["--prompt-ids", file, "--prompt", golden.texts[0], ...greedy, "--json", "--quiet"]);
  const { texts } = JSON.parse(json.stdout);
  expect(texts.map(({ promptIds }: { promptIds?: number[] }) => promptIds)).toEqual([
    undefined,
    rows.slice(0, length),
    rows.slice(length),
  ]);
  expect(texts[0].ids).toEqual(golden.generated[0].slice(0, 5));
  await rm(folder, { recursive: true });
});

test("of a model without tokenizer, ids go on as ids", async () => {
  const args = ["test/goldens/arch/gpt2", "--prompt-ids", "1,2,3", "--max-tokens", "4", "--quiet"];
  expect((await generate(args)).stdout).toMatch(/^1,2,3(,\d+){1,4}\n$/);
  const several = await generate([...args, "--n", "2"]);
  expect(several.stdout).toMatch(/^--- text 1 ---\n1,2,3(,\d+){1,4}\n\n--- text 2 ---\n1,2,3(,\d+){1,4}\n$/);
  const likeliest = await generate([...args.slice(0, 3), "--show-probabilities", "2"]);
  expect(likeliest.stdout).toMatch(/^after "1,2,3" \(3 tokens\): entropy/);
});

test("several texts for several prompts, the same for the same seed", async () => {
  const args = ["--prompt", "It was", "--prompt", "She said", "--n", "2", "--max-tokens", "8", "--quiet"];
  const one = await generate([...args, "--seed", "3"]);
  expect(one.code).toBe(0);
  expect(one.stdout.match(/^--- prompt [12], text [12] ---$/gm)).toHaveLength(4);
  expect((await generate([...args, "--seed", "3", "--threads", "1"])).stdout).toBe(one.stdout);
  expect((await generate([...args, "--seed", "4"])).stdout).not.toBe(one.stdout);
});

test("what is banned is not written, and what was taken back is told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "unembed-bans-"));
  const file = join(folder, "list.txt");
  await writeFile(file, "Mr. \n\n/\\b[A-Z]{9,}\\b/u\r\n");
  const args = ["--prompt", "It was", "--max-tokens", "20", "--ban", " THE", "--ban-file", file, "--ignore-case"];
  const json = await generate([...args, "--n", "2", "--json", "--quiet"]);
  const { texts } = JSON.parse(json.stdout);
  for (const { text, withdrawn, calls, finish } of texts) {
    // With case ignored, [A-Z]{9,} is every word of nine letters.
    expect(text).not.toMatch(/ the|mr\. |\b[a-z]{9,}\b/i);
    expect(finish).toBe("length");
    expect(calls - 20).toBeLessThanOrEqual(withdrawn);
  }
  expect(texts[1].calls).toBeGreaterThan(20);
  const streamed = await generate(args);
  expect(streamed.stdout).toBe(`It was${texts[0].text}\n`);
  expect(streamed.stderr).toMatch(/^20 tokens, [\d.]+ tokens\/s(; \d+ tokens withdrawn)?\n$/);
  const ended = await generate(["--prompt", "It was", "--ban", "/[\\s\\S]/", "--top-k", "9", "--quiet"]);
  expect(ended).toEqual({
    code: 0,
    stdout: "It was\n",
    stderr: "",
  });
  await rm(folder, { recursive: true });
});

test("--show-probabilities lists the next token's distribution in 80 columns", async () => {
  const args = ["--prompt", "It was a dark", "--show-probabilities", "3"];
  const json = await generate([...args, "--json", "--top-k", "2"]);
  const [{ promptTokens, likeliest, entropy }] = JSON.parse(json.stdout).prompts;
  // The likeliest of greedy's first step; with the 2 likeliest kept, those alone are drawn.
  expect(likeliest.map(({ id }: { id: number }) => id)).toContain(golden.generated[0][0]);
  expect(likeliest[0].id).toBe(golden.generated[0][0]);
  expect(promptTokens).toBe(golden.prompts[0].length);
  expect(entropy).toBeGreaterThan(0);
  expect(likeliest[0].drawn + likeliest[1].drawn).toBeCloseTo(1, 12);
  expect(likeliest[2].drawn).toBe(0);
  expect(likeliest[0].drawn / likeliest[1].drawn).toBeCloseTo(likeliest[0].probability / likeliest[1].probability, 9);

  const table = await generate([...args, "--top-k", "2"]);
  const lines = table.stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(5);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines[2]).toMatch(/^ {3}1 {2}".*" +\d+ +[\d.]+% +[\d.]+% +[\d.]+%$/);
});

test("Ctrl-C prints what there is and ends with 130", async () => {
  const streamed = await unembedProcess(["generate", "--prompt", "It was", "--max-tokens", "1000000"], {
    interruptWhen: ({ stdout }) => stdout.length > 100,
  });
  expect({ ...streamed, stdout: "" }).toEqual({
    code: 130,
    stdout: "",
    stderr: "unembed: interrupted; this is what was written so far\n",
  });
  expect(streamed.stdout).toMatch(/^It was[\s\S]+\n$/);
});

test("ends when nobody reads any more", async () => {
  const args = ["bin/unembed.js", "generate", "--prompt", "It was", "--max-tokens", "1000000"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test.each<[string, string[], number, RegExp]>([
  ["no prompt", [], 2, /--prompt: is missing/],
  ["no such model", ["test/nowhere", "--prompt", "a"], 1, /nowhere/],
  ["a model without tokenizer", ["test/goldens/arch/gpt2", "--prompt", "a"], 1, /gpt2: has no tokenizer.json/],
  ["no such share", ["--prompt", "a", "--top-p", "1.5"], 2, /'--top-p <p>' argument '1.5' is invalid/],
  ["no number", ["--prompt", "a", "--temperature", "hot"], 2, /a number is wanted/],
  [
    "a ban that the prompt says",
    ["--prompt", "as an AI", "--ban", "/a. AI/i"],
    1,
    /ban "\/a. AI\/i": matches the prompt/,
  ],
  ["a slow ban", ["--prompt", "It was so", "--ban", "/([a-z ]+)+\\d/"], 1, /takes more than 3 s to match/],
  ["a ban's way without a ban", ["--prompt", "a", "--ban-method", "mask"], 2, /--ban-method: is for --ban/],
  [
    "no such way",
    ["--prompt", "a", "--ban", "b", "--ban-method", "beg"],
    2,
    /Allowed choices are aligned, mask, reject/,
  ],
  ["an id that is none", ["--prompt-ids", "8192"], 1, /id 8192 at 0 is outside the vocabulary/],
  ["a file that is not there", ["--prompt-ids", "test/none.npy"], 1, /none\.npy: does not exist/],
  ["a prompt too long", ["--prompt", "word ".repeat(300)], 1, /has \d+ tokens; tiny-books takes 256/],
])("%s is refused", async (_name, args, wanted, message) => {
  const { code, stdout, stderr } = await generate(args);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: wanted, stdout: "" });
});
