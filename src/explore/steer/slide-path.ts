import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import type { Model } from "../../model/model.js";
import type { Method } from "../../steering/plan/method.js";
import type { Directions } from "../../steering/solve/direction.js";
import { solveEdits } from "../../steering/solve/solve-edits.js";

/** Edits of one token or set, solved at some places of its slider: what lies between is interpolated. */
export interface SlidePath {
  readonly ids: readonly number[];
  /** ln of the factor at each place, ascending; 0 is among them. */
  readonly places: readonly number[];
  /** E_w' - E_w at each place, [m, d]. */
  readonly rows: readonly Float64Array[];
}

/** Factors that are solved for, in this order: two are enough to answer, each one more makes the answers truer. */
const factors = [1 / 10, 10, 1 / 1000, 1000, 1 / 100, 100, 1 / 3, 3, 1 / 30];
/** Of sets of many tokens only so many: each of their rows is a solve. */
const factorsOfSets = 2;
const manyTokens = 16;
/** Mean probabilities that a slider can ask for: above, the other tokens have nothing left. */
const mostWanted = 0.9;

export interface PathOptions extends Directions {
  readonly method: Method;
  readonly lambda: number;
  readonly signal: AbortSignal;
  /** Told of the path so far, which answers already. */
  readonly onPath: (path: SlidePath, done: number, of: number) => Promise<void>;
}

/**
 * Solves an edit along its slider, alone and without a guard: the exact solve that follows on release has both.
 * @param before mean probability of the tokens together
 */
export async function solvePath(
  { head, engine }: Model,
  contexts: StoredContexts,
  ids: readonly number[],
  before: number,
  { method, lambda, signal, onPath, ...directions }: PathOptions,
): Promise<void> {
  const subject = { head, engine, contexts };
  const d = head.hiddenSize;
  const { rows: own } = await readHeadRows(head, ids);
  const many = ids.length > manyTokens;
  const wanted = factors.filter((factor) => factor * before < mostWanted).slice(0, many ? factorsOfSets : undefined);
  const solved: { place: number; rows: Float64Array }[] = [{ place: 0, rows: new Float64Array(ids.length * d) }];
  for (const [done, scale] of wanted.entries()) {
    signal.throwIfAborted();
    const solution = await solveEdits(subject, [{ tokens: ids, target: { scale } }], {
      ...{ method: many && method === "nearest" ? ("constant" as const) : method, lambda, signal },
      ...directions,
    });
    solved.push({ place: Math.log(scale), rows: differences(solution.rows, ids, own, d) });
    solved.sort((a, b) => a.place - b.place);
    await onPath(
      { ids, places: solved.map(({ place }) => place), rows: solved.map(({ rows }) => rows) },
      done + 1,
      wanted.length,
    );
  }
}

/** In the order of `ids`. */
function differences(
  found: { readonly ids: Int32Array; readonly values: Float64Array },
  ids: readonly number[],
  own: Float64Array,
  d: number,
): Float64Array {
  const changed = own.map((value) => -value);
  for (const [j, id] of ids.entries()) {
    const at = found.ids.indexOf(id) * d;
    for (let i = 0; i < d; i++) changed[j * d + i]! += found.values[at + i]!;
  }
  return changed;
}
