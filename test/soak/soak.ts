// Long runs: damaged files through every reader, kills at every moment of a run, and goldens cut behind every layer.
//   npm run test:soak
// SOAK_INPUTS (default 1000000), SOAK_KILLS (default 100), SOAK_SEED (default 1), SOAK_READERS (names, comma-separated).
import { cpus } from "node:os";
import { resolve as absolute } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import type { Fed, Feed } from "./feed.js";
import { killAtRandom } from "./kill-points.js";
import { cutEverywhere } from "./layer-cuts.js";
import { openReaders } from "./readers.js";

const inputs = Number(process.env.SOAK_INPUTS ?? 1_000_000);
const kills = Number(process.env.SOAK_KILLS ?? 100);
const seed = Number(process.env.SOAK_SEED ?? 1);
const threads = 2;
/** So many threads lost with one reader: it is given up, which is said. */
const mostLost = 20;
/** A thread's memory is given back after so many. */
const perWorker = 20_000;
/** An input takes milliseconds; on a machine that others use too, a hundred times that. */
const longestMilliseconds = 60_000;

/** A file that takes more ends its thread, which is noted. */
const maxOldGenerationSizeMb = 1024;

const wanted = process.env.SOAK_READERS?.split(",");
const names = Object.keys(await openReaders()).filter((name) => wanted?.includes(name) ?? true);
const each = Math.ceil(inputs / names.length);
const began = performance.now();
let problems = 0;
let total = 0;
console.log(`${each * names.length} damaged files, seed ${seed}, Node ${process.version}, ${cpus()[0]?.model}`);
// tsx does not reach into worker threads.
const feeder = absolute("node_modules/.cache/soak/feed.mjs");
await build({
  ...{ entryPoints: ["test/soak/feed.ts"], outfile: feeder, logLevel: "warning" },
  ...{ bundle: true, platform: "node", format: "esm", packages: "external", target: "node20" },
});
const queue = names.values();
await Promise.all(
  Array.from({ length: threads }, async () => {
    for (const name of queue) await soakReader(name);
  }),
);
console.log(`${total.toLocaleString("en")} inputs in ${elapsed()}: ${problems} neither read nor refused in one line`);
const killed = kills === 0 ? { kills, problems: [] } : await killAtRandom(kills, seed, console.log);
problems += killed.problems.length;
console.log(`${killed.kills} kills: ${killed.problems.length} left something wrong; ${elapsed()} in all`);
const cut = await cutEverywhere();
problems += cut.problems.length;
for (const problem of cut.problems) console.log(`  ${problem}`);
console.log(
  `${cut.cuts} cuts between layers: hidden states within ${cut.worst.toExponential(1)} of those of one piece`,
);
console.log(`\n${total + killed.kills + cut.cuts - problems} passed, ${problems} failed, 0 skipped`);
process.exitCode = problems === 0 ? 0 : 1;

function elapsed(): string {
  return `${Math.round((performance.now() - began) / 1000)} s`;
}

/** Feeds a reader all its inputs: one that it does not come back from is noted, and the next one follows. */
async function soakReader(name: string): Promise<void> {
  const sum: Fed = { read: 0, refused: 0, slowest: { milliseconds: 0, input: -1 }, failures: [] };
  let lost = 0;
  const feedRange = async (from: number, to: number): Promise<void> => {
    if (from >= to || lost >= mostLost) return;
    const { fed, lost: end } = await feedInWorker({ reader: name, seed, from, to });
    if (end === undefined) return add(sum, fed);
    lost++;
    sum.failures.push({ input: end.input, file: "", what: end.how });
    // What came before it was lost with the thread.
    await feedRange(from, end.input);
    await feedRange(end.input + 1, to);
  };
  for (let from = 0; from < each; from += perWorker) await feedRange(from, Math.min(each, from + perWorker));
  const count = sum.read + sum.refused + sum.failures.length;
  if (count < each) console.log(`${name}: given up, ${each - count} inputs were not fed`);
  total += count;
  problems += sum.failures.length;
  const { read, refused, slowest, failures } = sum;
  console.log(
    `${name}: ${count} inputs, ${read} read, ${refused} refused, ${failures.length} neither; ` +
      `slowest ${slowest.milliseconds.toFixed(0)} ms (input ${slowest.input})`,
  );
  for (const { input, file, what } of failures.slice(0, 5)) console.log(`  input ${input} ${file}: ${what}`);
}

function add(sum: Fed, { read, refused, slowest, failures }: Fed): void {
  sum.read += read;
  sum.refused += refused;
  if (slowest.milliseconds > sum.slowest.milliseconds) sum.slowest = slowest;
  sum.failures.push(...failures);
}

type Outcome = { fed: Fed; lost?: never } | { fed?: never; lost: { input: number; how: string } };

/** In a thread of its own, which is ended when it is busy with one input for too long. */
function feedInWorker(range: Omit<Feed, "inHand">): Promise<Outcome> {
  const inHand = new Int32Array(new SharedArrayBuffer(4)).fill(range.from);
  const worker = new Worker(feeder, { workerData: { ...range, inHand }, resourceLimits: { maxOldGenerationSizeMb } });
  return new Promise((resolve) => {
    let last = { input: -1, since: performance.now() };
    const lose = (how: string) => end({ lost: { input: Atomics.load(inHand, 0), how } });
    const watch = setInterval(() => {
      const input = Atomics.load(inHand, 0);
      if (input !== last.input) last = { input, since: performance.now() };
      else if (performance.now() - last.since > longestMilliseconds) lose(`took over ${longestMilliseconds} ms`);
    }, 1000);
    const end = (outcome: Outcome) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(outcome);
    };
    worker.once("message", (fed: Fed) => end({ fed }));
    worker.once("error", (error) => lose(error.stack ?? error.message));
    worker.once("exit", (code) => lose(`ended its thread with code ${code}`));
  });
}
