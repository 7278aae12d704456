import { createProducts } from "../../engine/products.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import { isBan, type TokenGroup } from "../plan/targets.js";
import { fittingText, type Subject, type Watched } from "../solve/problem/fitting-text.js";
import { poseProblem } from "../solve/problem/posed-problem.js";
import { judgeRows } from "../solve/rows/judge-rows.js";
import type { Solution, SolvedGroup } from "../solve/solution.js";
import { solvedGroups } from "../solve/solve-edits.js";
import type { Ban } from "./bans.js";

/** Of what a ban leaves: less has no logit bias that one could solve for. */
const leastLeft = 1e-30;

/**
 * Edits of which some are bans: the others are solved for on the head that has the bans, so that their targets hold together
 * with them; then all are judged on the head as it was.
 * @param groups in the plan's order; those with a ban as target are banned by `ban`
 * @param solveOthers solves groups on a head of their own, targets being mean probabilities
 */
export async function solveWithBans(
  subject: Subject,
  groups: readonly TokenGroup[],
  ban: Ban,
  solveOthers: (subject: Subject, others: readonly TokenGroup[]) => Promise<Solution>,
  watched: Watched = {},
): Promise<Solution> {
  const { head, engine } = subject;
  const products = await createProducts(engine, head.hiddenSize);
  try {
    const text = await fittingText(subject, watched);
    const asked = await poseProblem(subject, text, products, groups, watched);
    const others = groups.flatMap(({ tokens, target }, g) =>
      isBan(target) ? [] : [{ tokens, target: { probability: asked.ideal.wanted[g]! } }],
    );
    const banned = { ...subject, head: changedHead(head, ban.change) };
    const solved = others.length > 0 ? await solveOthers(banned, others) : undefined;
    const change = joinedChanges(ban.change, solved?.rows);
    const { rows, biases } = await readHeadRows(changedHead(head, change), asked.tokens.ids);
    const left = await judgeRows(asked, rows, biases);
    // What a logit bias with the same means would do: a ban's is what it came to.
    const reached = groups.map(({ tokens, target }, g) => ({
      tokens,
      target: isBan(target) ? { probability: Math.max(left.after[g]!, leastLeft) } : target,
    }));
    const problem = await poseProblem(subject, text, products, reached, watched);
    const outcome = await judgeRows(problem, rows, biases);
    let next = 0;
    const foundBy = groups.map(({ target }) => (isBan(target) ? undefined : solved!.groups[next++]!));
    const bound = { probability: ban.bound, proven: ban.proven };
    return {
      method: solved?.method ?? "nearest",
      warnings: solved?.warnings ?? [],
      rows: change.rows ?? { ids: new Int32Array(0), values: new Float64Array(0) },
      bias: change.bias,
      groups: solvedGroups(groups, problem, rows, outcome, undefined, (g) => {
        const found = foundBy[g];
        return found ? { method: found.method, lambda: found.lambda } : { method: ban.method };
      }).map((group, g): SolvedGroup => {
        const found = foundBy[g];
        if (found !== undefined) return { ...group, shortfall: found.shortfall };
        return { ...group, ...leftOf(group, groups[g]!), bound };
      }),
    };
  } finally {
    await products.release();
  }
}

/** What a ban leaves is what was wanted, unless it asks for less. */
function leftOf({ probability: { before, after } }: SolvedGroup, { target }: TokenGroup) {
  const wanted = isBan(target) && target.ban !== true ? target.ban * before : after;
  const missed = `mean probability ${after.toPrecision(6)} instead of ${wanted.toPrecision(6)}: no row that keeps a bound in every context leaves less`;
  return { probability: { before, wanted, after }, shortfall: after > wanted ? missed : undefined };
}

/** Rows of both, in the order of their ids. */
export function joinedChanges(first: HeadChange, rows: Solution["rows"] | undefined): HeadChange {
  if (rows === undefined || first.rows === undefined) return { ...first, rows: first.rows ?? rows };
  const parts = [first.rows, rows];
  const d = rows.values.length / rows.ids.length;
  const places = parts.flatMap((part) =>
    Array.from(part.ids, (id, j) => ({ id, row: part.values.subarray(j * d, (j + 1) * d) })),
  );
  places.sort((a, b) => a.id - b.id);
  const values = new Float64Array(places.length * d);
  for (const [j, { row }] of places.entries()) values.set(row, j * d);
  return { ...first, rows: { ids: Int32Array.from(places, ({ id }) => id), values } };
}
