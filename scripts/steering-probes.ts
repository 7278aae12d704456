// How far solving again with probes that went wrong brings `nearest`, for docs/steering.md:
//   npx tsx scripts/steering-probes.ts MODEL FACTOR... [--per-band N]
// Tokens drawn at random from three bands of frequency are made rarer by each factor, all of them in one plan, solved once without
// the probes and once with them; both are measured in those probes and in others, of another seed.
import { parseArgs } from "node:util";
import { changedHead } from "../src/model/head/changed-head.js";
import { memoryStore } from "../src/model/pass/row-store.js";
import { loadModel } from "../src/node/load-model.js";
import { openSteerTexts } from "../src/node/runs/steer-texts.js";
import { withContexts } from "../src/runs/steering/steer-run.js";
import { planEdits } from "../src/steering/plan/edit-plan.js";
import { planSolver } from "../src/steering/plan-solver.js";
import type { ProbedEdit } from "../src/steering/probes/probe-edits.js";
import { producedIds, textProbes } from "../src/steering/probes/text-probes.js";
import type { Solution } from "../src/steering/solve/solution.js";
import { probePlan, solveAndProbe } from "../src/steering/solve-and-probe.js";
import { frequencyBands, randomTokens } from "../src/steering/trials/random-tokens.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { "per-band": { type: "string", default: "8" }, threads: { type: "string", default: "2" } },
});
const [name, ...factors] = positionals;
const model = await loadModel(name, { threads: Number(values.threads) });
const texts = await openSteerTexts({}, {}, {});
const anyPlan = await planEdits(model, ["id:0=x0.5"]);

console.log("| factor | unsafe edits | contexts | largest | in other probes | contexts | largest | rounds | length |");
await withContexts(model, anyPlan, { texts }, async ({ text, probes }) => {
  const others = await textProbes(model, { fit: texts.inDomain!, unseen: texts.outOfDomain }, { seed: 1 });
  const counts = new Float64Array(model.vocabSize);
  for (const id of text.tokenIds) counts[id]!++;
  const usable = producedIds(await model.tokenizer(), model.vocabSize);
  const drawn = frequencyBands.flatMap((band, b) => randomTokens(counts, usable, band, Number(values["per-band"]), b));
  for (const factor of factors) {
    const edits = drawn.map((id) => `id:${id}=x${factor}`);
    const plan = await planEdits(model, edits);
    const solve = await planSolver(model, plan, { contexts: text, probes, guardStore: memoryStore() }, {});
    let rounds = -1;
    const mended = await solveAndProbe(
      model,
      plan,
      (alsoRight) => {
        rounds++;
        return solve(alsoRight);
      },
      probes,
    );
    const first = await solve(undefined);
    const inProbes = (solution: Solution, some: typeof probes) =>
      probePlan(model, plan, changedHead(model.head, { rows: solution.rows }), solution, some);
    const [own, ownMended] = [await inProbes(first, probes), mended.probed];
    const [other, otherMended] = [await inProbes(first, others), await inProbes(mended.solution, others)];
    const lengths = [first, mended.solution].map(({ groups }) => median(groups.map(({ norms }) => norms[0]!)));
    const arrow = (one: readonly string[]) => one.join(" -> ");
    const both = (a: readonly ProbedEdit[], b: readonly ProbedEdit[], of: (found: readonly ProbedEdit[]) => string) =>
      arrow([of(a), of(b)]);
    const columns = [
      `1/${Math.round(1 / Number(factor))}`,
      both(own, ownMended, editsOf),
      both(own, ownMended, contextsOf),
      both(own, ownMended, largestOf),
      both(other, otherMended, editsOf),
      both(other, otherMended, contextsOf),
      both(other, otherMended, largestOf),
      `${rounds}`,
      arrow(lengths.map((length) => length.toFixed(2))),
    ];
    console.log(`| ${columns.join(" | ")} |`);
  }
  await others.release();
});
await model.close();

function editsOf(found: readonly ProbedEdit[]): string {
  return `${found.filter(({ unsafe }) => unsafe.length > 0).length} of ${found.length}`;
}

function contextsOf(found: readonly ProbedEdit[]): string {
  return `${found.reduce((sum, { unsafe }) => sum + unsafe.length, 0)}`;
}

/** The largest probability that an edit gives its token where it is unsafe. */
function largestOf(found: readonly ProbedEdit[]): string {
  const unsafe = found.flatMap(({ unsafe, after }) => Array.from(unsafe, (i) => after[i]!));
  return unsafe.length > 0 ? Math.max(...unsafe).toPrecision(2) : "none";
}

function median(lengths: readonly number[]): number {
  return [...lengths].sort((a, b) => a - b)[Math.floor(lengths.length / 2)]!;
}
