/**
 * A Llama-style model of 1.36 B random bfloat16 parameters (5.5 GB as float32) whose layers take turns in a memory of
 * 1.5 GB, beside the same in one piece: wall time and peak memory of the whole process.
 *
 *     npx tsx bench/streamed.ts [--tokens 20000] [--max-memory 1.5GB] [--model FOLDER] [--skip-whole]
 *
 * FOLDER is kept and used again; without it the checkpoint (2.7 GB) is made in the folder for temporary files.
 */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measured } from "./measured.js";
import { writeRandomLlama } from "./random-llama.js";

const { values: options } = parseArgs({
  options: {
    tokens: { type: "string", default: "20000" },
    "max-memory": { type: "string", default: "1.5GB" },
    model: { type: "string" },
    threads: { type: "string", default: "2" },
    "skip-whole": { type: "boolean" },
  },
});
const sizes = { d: 2048, inner: 5632, layers: 24, heads: 16, vocab: 32_000 };
const tokens = Number(options.tokens);
const folder = await mkdtemp(join(tmpdir(), "unembed-bench-"));
try {
  const model = options.model ?? join(folder, "model");
  await mkdir(model, { recursive: true });
  if (!(await stat(join(model, "config.json")).catch(() => undefined))) await writeRandomLlama(model, sizes);
  const ids = join(folder, "ids.bin");
  await writeFile(ids, new Uint8Array(randomIds(tokens, sizes.vocab).buffer));
  const analyze = async (name: string, ...more: string[]) => {
    const out = join(folder, name);
    const run = await measured<Record<string, number>>(process.execPath, [
      ...["bin/unembed.js", "analyze", model, "--corpus", ids, "--token-dtype", "uint16", "--threads", options.threads],
      ...["--out", out, "--json", ...more],
    ]);
    const { results } = JSON.parse(await readFile(join(out, "run.json"), "utf8")) as { results: { seconds?: number } };
    return { ...run, pass: tokens / run.result.tokensPerSecond!, results };
  };
  console.log(
    "| | seconds of the pass | seconds, whole command | peak memory, MB | R2 |\n| --- | --- | --- | --- | --- |",
  );
  const row = (
    name: string,
    run: { pass: number; seconds: number; megabytes: number; result: Record<string, number> },
  ) =>
    console.log(
      `| ${name} | ${run.pass.toFixed(0)} | ${run.seconds.toFixed(0)} | ${run.megabytes.toFixed(0)} | ${run.result.r2} |`,
    );
  const parts = await analyze("parts", "--max-memory", options["max-memory"]);
  row(`${tokens} tokens, ${options["max-memory"]}`, parts);
  if (!options["skip-whole"]) {
    const whole = await analyze("whole", "--max-memory", "1000GB");
    row("in one piece", whole);
    console.log(
      `time ${(parts.seconds / whole.seconds).toFixed(2)} of one piece, the pass ${(parts.pass / whole.pass).toFixed(2)}`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}

/** Ids with the frequencies of a text: the k-th as often as 1 / k. */
function randomIds(count: number, vocab: number): Uint16Array {
  let state = 12345;
  return Uint16Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(vocab ** ((state + 0.5) / 2 ** 32)) - 1;
  });
}
