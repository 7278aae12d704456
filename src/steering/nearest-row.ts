import { cholesky, solveLower, solveLowerTransposed } from "../linalg/cholesky.js";
import { dot } from "../linalg/dot.js";
import type { Gram } from "../linalg/gram.js";
import type { HeadTransform } from "../model/head.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { transform } from "./edited-logits.js";

/** Contexts whose h_t are held at once, as float64. */
const blockContexts = 4096;
const maxSteps = 40;
const maxHalvings = 30;
/** Half the squared Newton decrement, relative to the objective: what a further step could still gain. */
const enough = 1e-11;

/** Calls `visit` with h_t of each block, float64 [contexts, d]. */
export async function eachBlock(
  contexts: StoredContexts,
  visit: (block: Float64Array, start: number, end: number) => Promise<void> | void,
): Promise<void> {
  for (let start = 0; start < contexts.count; start += blockContexts) {
    const end = Math.min(start + blockContexts, contexts.count);
    await visit(Float64Array.from(await contexts.read(start, end)), start, end);
  }
}

/** x . h_t, [N]. */
export async function alongContexts(contexts: StoredContexts, x: Float64Array): Promise<Float64Array> {
  const d = x.length;
  const out = new Float64Array(contexts.count);
  await eachBlock(contexts, (block, start, end) => {
    for (let t = start; t < end; t++) out[t] = dot(x, 0, block, (t - start) * d, d);
  });
  return out;
}

/** One row's problem, the other rows fixed: against them, its token is one Bernoulli variable a context. */
export interface RowProblem {
  readonly contexts: StoredContexts;
  readonly gram: Gram;
  readonly headTransform: HeadTransform;
  /** z of the token before the transform and before the edit, [N]. */
  readonly raw: Float64Array;
  /** ln sum exp of all other tokens' logits as they now are, [N]. */
  readonly others: Float64Array;
  /** Its probability under the ideal, [N]. */
  readonly q: Float64Array;
  /** lambda r' alpha_w. */
  readonly penalty: number;
}

/**
 * x that minimises mean_t KL(Bernoulli(q_t) || Bernoulli(sigmoid(s_t + x.h_t))) + penalty |x|^2 (METHOD.md section 3):
 * Newton with line search, Gauss-Newton where the head transforms its logits.
 * @param start x to begin with, [d]  @returns x and x.h_t, [N]
 */
export async function nearestRow(
  problem: RowProblem,
  start: Float64Array,
  signal?: AbortSignal,
): Promise<{ x: Float64Array; along: Float64Array; objective: number }> {
  const { contexts, gram, headTransform, raw, others, q, penalty } = problem;
  const d = start.length;
  const { count } = contexts;
  const objectiveAt = (x: Float64Array, along: Float64Array) => {
    let total = 0;
    for (let t = 0; t < count; t++) {
      total += divergence(q[t]!, transform(headTransform, raw[t]! + along[t]!).value - others[t]!);
    }
    return total / count + penalty * dot(x, 0, x, 0, d);
  };
  let x = start;
  let along = await alongContexts(contexts, x);
  let objective = objectiveAt(x, along);
  for (let step = 0; step < maxSteps; step++) {
    signal?.throwIfAborted();
    const gradient = new Float64Array(d);
    const hessian = new Float64Array(d * d);
    await eachBlock(contexts, async (block, from, to) => {
      for (let t = from; t < to; t++) {
        const { value, slope } = transform(headTransform, raw[t]! + along[t]!);
        const p = 1 / (1 + Math.exp(others[t]! - value));
        const push = ((p - q[t]!) * slope) / count;
        const root = slope * Math.sqrt((p * (1 - p)) / count);
        const row = (t - from) * d;
        for (let i = 0; i < d; i++) {
          gradient[i]! += push * block[row + i]!;
          block[row + i]! *= root;
        }
      }
      const part = await gram(block, to - from, d);
      for (let index = 0; index < hessian.length; index++) hessian[index]! += part[index]!;
    });
    for (let i = 0; i < d; i++) {
      gradient[i]! += 2 * penalty * x[i]!;
      hessian[i * d + i]! += 2 * penalty;
    }
    const move = gradient.map((value) => -value);
    cholesky(hessian, d);
    solveLower(hessian, d, move);
    solveLowerTransposed(hessian, d, move);
    const gain = -dot(gradient, 0, move, 0, d);
    if (!(gain > enough * objective)) break;
    const moved = await alongContexts(contexts, move);
    const better = searchLine(x, along, move, moved, objective, gain, objectiveAt);
    if (better === undefined) break;
    ({ x, along, objective } = better);
  }
  return { x, along, objective };
}

/** Halves the step until the objective falls by a part of what its slope promises (Armijo). */
function searchLine(
  x: Float64Array,
  along: Float64Array,
  move: Float64Array,
  moved: Float64Array,
  objective: number,
  gain: number,
  objectiveAt: (x: Float64Array, along: Float64Array) => number,
): { x: Float64Array; along: Float64Array; objective: number } | undefined {
  for (let halving = 0, fraction = 1; halving < maxHalvings; halving++, fraction /= 2) {
    const next = x.map((value, i) => value + fraction * move[i]!);
    const nextAlong = along.map((value, t) => value + fraction * moved[t]!);
    const nextObjective = objectiveAt(next, nextAlong);
    if (nextObjective <= objective - 1e-4 * fraction * gain) {
      return { x: next, along: nextAlong, objective: nextObjective };
    }
  }
  return undefined;
}

/** KL(Bernoulli(q) || Bernoulli(sigmoid(s))), nats. */
export function divergence(q: number, s: number): number {
  const below = Math.log1p(Math.exp(-Math.abs(s)));
  const lnP = Math.min(s, 0) - below;
  const lnRest = Math.min(-s, 0) - below;
  return (q > 0 ? q * (Math.log(q) - lnP) : 0) + (q < 1 ? (1 - q) * (Math.log1p(-q) - lnRest) : 0);
}
