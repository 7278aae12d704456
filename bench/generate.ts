/**
 * What one new token costs, with keys and values kept and without, at several lengths of text; and tokens a second beside
 * transformers' generate (bench/peer/generate.py), in one run on the same threads:
 *
 *     npx tsx bench/generate.ts --python .venv/bin/python [--model FOLDER] [--tokens 200] [--threads 2]
 *
 * The embedded model has 256 positions. For longer texts, weights of GPT-2's shape drawn at random serve as well:
 * bench/peer/random-gpt2.py FOLDER writes them.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { continueTexts, sampleRandom } from "../src/generation/continuations.js";
import { type Batch, openDecoder } from "../src/generation/decoder.js";
import { loadModel } from "../src/node/load-model.js";
import { measured } from "./measured.js";

const { values: options } = parseArgs({
  options: {
    python: { type: "string" },
    model: { type: "string", default: "assets/tiny-books" },
    tokens: { type: "string", default: "200" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const threads = Number(options.threads);
const tokens = Number(options.tokens);
const promptLength = 16;
const batchSizes = [1, 16];
const repetitions = 15;

const model = await loadModel(options.model, { threads });
const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
const ids = (length: number) => Array.from({ length }, (_, i) => 300 + ((i * 7919) % 5000));
const text = async (length: number): Promise<Batch> => {
  let batch = await decoder.read([ids(length - 1)]);
  batch = await decoder.extend(batch, [5]);
  return batch;
};

const decoder = await openDecoder(model, { oneAtATime: true });
row("tokens before it", "with cache, ms", "without, ms", "ratio", "positions computed");
row("---", "---", "---", "---", "---");
for (let length = 32; length <= Math.min(model.maxPositions ?? 1024, 1024); length *= 2) {
  // The longest leaves room for the tokens that are timed.
  const before = Math.min(length, (model.maxPositions ?? length + repetitions) - repetitions);
  const [kept, anew] = [[] as number[], [] as number[]];
  let batch = await text(before);
  for (let i = 0; i < repetitions; i++) {
    const read = async () => {
      batch = await decoder.extend(batch, [5 + i]);
    };
    kept.push(await milliseconds(read));
    anew.push(await milliseconds(() => decoder.read([ids(before + 1)])));
  }
  // The machine is shared: the best is nearest to what the work takes.
  const [a, b] = [Math.min(...kept), Math.min(...anew)];
  row(before, a.toFixed(2), b.toFixed(2), `${(b / a).toFixed(1)}x`, `1 against ${before + 1}`);
}
await decoder.close();

const peer = options.python
  ? await measured<{ tokensPerSecond: Record<string, number> }>(options.python, [
      ...["bench/peer/generate.py", options.model, "--tokens", `${tokens}`, "--threads", `${threads}`],
      ...["--prompt", `${promptLength}`, "--batches", batchSizes.join(",")],
    ])
  : undefined;
console.log();
row(`tokens/s, ${tokens} tokens greedily`, "unembed", "transformers", "ratio");
row("---", "---", "---", "---");
for (const size of batchSizes) {
  const ours = await rate(size);
  const theirs: number | undefined = peer?.result.tokensPerSecond[`${size}`];
  const ratio = theirs === undefined ? "" : `${(ours / theirs).toFixed(2)}x`;
  row(size === 1 ? "one text" : `${size} texts at once`, ours.toFixed(0), theirs?.toFixed(0) ?? "not measured", ratio);
}
await model.close();

/** Best of three, without the loading of the first. */
async function rate(size: number): Promise<number> {
  let best = 0;
  for (let trial = 0; trial < 3; trial++) {
    const openings = Array.from({ length: size }, (_, i) => ({
      ids: ids(promptLength + i).slice(i),
      random: sampleRandom(0, i, 0),
    }));
    const milli = await milliseconds(async () => {
      await continueTexts(model, openings, { maxTokens: tokens, temperature: 0, endOfText: new Set() });
    });
    best = Math.max(best, (size * tokens * 1000) / milli);
  }
  return best;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
