/**
 * Seconds to steer: preparing a text once, one edit, and many edits jointly, with peak memory, on the embedded model:
 *
 *     npx tsx bench/steering.ts [--tokens 40000] [--joint 64,1000] [--threads 2]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tokenIds } from "../src/corpus/tokens/token-ids.js";
import { windows } from "../src/corpus/tokens/windows.js";
import { permutation, seededRandom } from "../src/linalg/random.js";
import { type StoredContexts, storeContexts } from "../src/model/contexts/stored-contexts.js";
import { corpus } from "../src/node/corpus/corpus-files.js";
import { rowFile } from "../src/node/files/row-file.js";
import { defaultCorpus, loadModel } from "../src/node/load-model.js";
import type { TokenGroup } from "../src/steering/plan/targets.js";
import { fittingText } from "../src/steering/solve/problem/fitting-text.js";
import { guardContexts } from "../src/steering/solve/rows/guard-contexts.js";
import { type Subject, solveEdits } from "../src/steering/solve/solve-edits.js";

const { values: options } = parseArgs({
  options: {
    tokens: { type: "string", default: "40000" },
    joint: { type: "string", default: "64,1000" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const model = await loadModel(undefined, { threads: Number(options.threads) });
try {
  const ids = tokenIds(await corpus([defaultCorpus].flat()), await model.tokenizer(), { vocabSize: model.vocabSize });
  const stream = windows(ids, { contextLength: 256, maxTokens: Number(options.tokens) });
  const [storing, contexts] = await timed(async () => storeContexts(model, stream, await rowFile()));
  const subject = { head: model.head, engine: model.engine, contexts };
  const [preparing, text] = await timed(() => fittingText(subject));
  const [guarding, guard] = await timed(async () => {
    const made = await guardContexts(model, contexts, { store: await rowFile() });
    if (made) await fittingText({ ...subject, contexts: made });
    return made;
  });
  console.log(
    `${text.count} contexts: layers ${storing.toFixed(2)} s, normalisers ${preparing.toFixed(2)} s; ` +
      `${guard?.count ?? 0} of the guard: ${guarding.toFixed(2)} s\n`,
  );
  console.log("| edits | seconds | largest \\|ln(actual / wanted)\\| | peak memory, MB |\n| --- | --- | --- | --- |");
  for (let run = 0; run < 5; run++)
    await measure(subject, guard, [{ tokens: [262 + 97 * run], target: { scale: run % 2 ? 3 : 0.3 } }]);
  for (const size of options.joint.split(",").map(Number)) await measure(subject, guard, randomEdits(size));
} finally {
  await model.close();
}

async function measure(subject: Subject, guard: StoredContexts | undefined, groups: TokenGroup[]): Promise<void> {
  const [seconds, solution] = await timed(() => solveEdits(subject, groups, { guardOf: async () => guard }));
  const misses = solution.groups.map(({ probability: { after, wanted } }) => Math.abs(Math.log(after / wanted)));
  const megabytes = process.resourceUsage().maxRSS / 1024;
  console.log(
    `| ${groups.length} | ${seconds.toFixed(2)} | ${Math.max(...misses).toExponential(1)} | ${megabytes.toFixed(0)} |`,
  );
}

/** Random tokens made half as likely, so that no targets add up to more than 1. */
function randomEdits(count: number): TokenGroup[] {
  const order = permutation(model.vocabSize - 1000, seededRandom(1));
  return Array.from(order.subarray(0, count), (place) => ({ tokens: [place + 500], target: { scale: 0.5 } }));
}

async function timed<Result>(work: () => Promise<Result>): Promise<[number, Result]> {
  const started = performance.now();
  const result = await work();
  return [(performance.now() - started) / 1000, result];
}
