import type { Products } from "../../../engine/products.js";
import { cholesky, solveFactored } from "../../../linalg/cholesky.js";
import { dot } from "../../../linalg/dot.js";
import type { Gram } from "../../../linalg/gram.js";
import { type HeadTransform, isIdentity, transform } from "../../../model/head/head-transform.js";
import type { TextBlocks } from "../problem/fitting-text.js";
import { softplus } from "../problem/shares.js";

/**
 * Rows that are each the nearest to an ideal of their own. With all other tokens at their ideal, a token is one Bernoulli
 * number a context: the problems do not touch one another, and are solved side by side so that the products are large.
 */
export interface RowProblems {
  /** c. */
  readonly size: number;
  /** z of each token before the transform and before the edit, [c, N]. */
  readonly raw: Float64Array;
  /** ln sum exp of all other tokens' logits under the ideal, [c, N]. */
  readonly others: Float64Array;
  /** Its probability under the ideal, [c, N]. */
  readonly q: Float64Array;
  /** Its ideal logit bias, [c]. */
  readonly bias: Float64Array;
  /** Of each, c of [N]: 1 in the contexts where the ideal has that bias. Left out: in all. */
  readonly where?: readonly Uint8Array[] | undefined;
  /** lambda r' alpha_w, [c]. */
  readonly penalty: Float64Array;
  /** How much each context counts for each of them, c of [N]: 1/N for a mean over them all. */
  readonly weights: readonly Float64Array[];
}

export interface RowTools {
  readonly text: TextBlocks;
  readonly products: Products;
  readonly gram: Gram;
  readonly transform: HeadTransform;
  /** d. */
  readonly hiddenSize: number;
  readonly signal?: AbortSignal | undefined;
}

const maxSteps = 60;
const maxTrials = 30;
/** Half the squared Newton decrement, relative to the objective: what a further step could still gain. */
const enough = 1e-9;
/** Share of a Hessian's weight whose contexts are multiplied out; the rest is taken for average contexts. */
const multipliedOut = 0.98;
/** Rows are gathered until there are this many numbers, over all tokens. */
const gatheredNumbers = 2 ** 23;

/**
 * Each row's x that minimises sum_t weights_jt KL(Bernoulli(q_t) || Bernoulli(sigmoid(s_t + x.h_t))) + penalty |x|^2 (METHOD.md
 * section 3). The Hessian at the ideal is nearly that at the solution, where both probabilities nearly agree: it is
 * multiplied out once, its Newton step is the start, and conjugate gradients preconditioned by it do the rest.
 * @returns [c, d]
 */
export async function nearestRows(problems: RowProblems, tools: RowTools): Promise<Float64Array> {
  const { size: c, penalty } = problems;
  const { text, products, hiddenSize: d, signal } = tools;
  const N = text.count;
  const { factors, pull } = await curvatures(problems, tools);
  const precondition = (j: number, vector: Float64Array): Float64Array => {
    const factor = factors.subarray(j * d * d, (j + 1) * d * d);
    const solved = vector.slice();
    solveFactored(factor, d, solved);
    return solved;
  };
  const rows = new Float64Array(c * d);
  for (let j = 0; j < c; j++) rows.set(precondition(j, pull.subarray(j * d, (j + 1) * d)), j * d);
  const along = await alongAll(text, products, rows, c);
  const states = Array.from({ length: c }, (_, j) => {
    const line = lineOf(problems, j, tools.transform);
    const y = along.subarray(j * N, (j + 1) * N);
    const x = rows.subarray(j * d, (j + 1) * d);
    const push = new Float64Array(N);
    const bent = line.measure(y, push);
    return { j, line, x, y, push, value: bent + penalty[j]! * dot(x, 0, x, 0, d), last: undefined as Last | undefined };
  });
  const trial = new Float64Array(N);
  let active = states;
  for (let step = 0; step < maxSteps && active.length > 0; step++) {
    signal?.throwIfAborted();
    const gradients = await backAll(text, products, active);
    const moving: { state: (typeof states)[number]; direction: Float64Array; downhill: number }[] = [];
    for (const [a, state] of active.entries()) {
      const gradient = gradients
        .subarray(a * d, (a + 1) * d)
        .map((value, i) => value + 2 * penalty[state.j]! * state.x[i]!);
      const solved = precondition(state.j, gradient);
      const gain = dot(gradient, 0, solved, 0, d);
      if (!(gain > enough * state.value)) continue;
      const { last } = state;
      // Polak & Ribiere's factor, with a restart where it is negative.
      const factor = last ? Math.max(0, (gain - dot(last.gradient, 0, solved, 0, d)) / last.gain) : 0;
      let direction = solved.map((value, i) => factor * (last?.direction[i] ?? 0) - value);
      let downhill = dot(direction, 0, gradient, 0, d);
      if (!(downhill < 0)) {
        direction = solved.map((value) => -value);
        downhill = -gain;
      }
      state.last = { gradient, gain, direction };
      moving.push({ state, direction, downhill });
    }
    if (moving.length === 0) break;
    const directions = new Float64Array(moving.length * d);
    for (const [a, { direction }] of moving.entries()) directions.set(direction, a * d);
    const moves = await alongAll(text, products, directions, moving.length);
    active = moving
      .filter(({ state, direction, downhill }, a) =>
        searchLine(state, penalty[state.j]!, direction, moves.subarray(a * N, (a + 1) * N), downhill, trial),
      )
      .map(({ state }) => state);
  }
  return rows;
}

interface Last {
  readonly gradient: Float64Array;
  readonly gain: number;
  readonly direction: Float64Array;
}

/** One row's objective without the penalty, as a function of y_t = x.h_t. */
interface Line {
  /** Its value, up to a constant; fills push with its derivatives by y_t. */
  measure(y: Float64Array, push: Float64Array): number;
}

function lineOf({ raw, others, q, weights: ofRows }: RowProblems, j: number, headTransform: HeadTransform): Line {
  const weights = ofRows[j]!;
  const N = weights.length;
  const plain = isIdentity(headTransform);
  const at = j * N;
  return {
    measure(y, push) {
      let total = 0;
      for (let t = 0; t < N; t++) {
        const z = raw[at + t]! + y[t]!;
        const { value, slope } = plain ? { value: z, slope: 1 } : transform(headTransform, z);
        const s = value - others[at + t]!;
        const wanted = q[at + t]!;
        total += weights[t]! * crossEntropyLess(wanted, s);
        const small = Math.exp(-Math.abs(s));
        push[t] = ((s > 0 ? 1 / (1 + small) : small / (1 + small)) - wanted) * slope * weights[t]!;
      }
      return total;
    },
  };
}

/** KL(Bernoulli(q) || Bernoulli(sigmoid(s))) and the entropy of q. */
const crossEntropyLess = (q: number, s: number): number => softplus(s) - q * s;

/**
 * Goes to where the objective's derivative along the direction has fallen to a tenth (Newton by secants), having fallen by
 * a part of what its slope promises (Armijo).
 * @param trial room for y, [N]  @returns whether it went anywhere
 */
function searchLine(
  state: { line: Line; x: Float64Array; y: Float64Array; push: Float64Array; value: number },
  penalty: number,
  direction: Float64Array,
  move: Float64Array,
  downhill: number,
  trial: Float64Array,
): boolean {
  const { line, x, y, push } = state;
  const d = x.length;
  const N = y.length;
  const moved = new Float64Array(d);
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let fraction = 1;
  for (let attempt = 0; attempt < maxTrials; attempt++) {
    for (let t = 0; t < N; t++) trial[t] = y[t]! + fraction * move[t]!;
    for (let i = 0; i < d; i++) moved[i] = x[i]! + fraction * direction[i]!;
    const value = line.measure(trial, push) + penalty * dot(moved, 0, moved, 0, d);
    const slope = dot(push, 0, move, 0, N) + 2 * penalty * dot(moved, 0, direction, 0, d);
    const fallen = value <= state.value + 1e-4 * fraction * downhill + rounding * Math.abs(state.value);
    if (fallen && Math.abs(slope) <= 0.1 * Math.abs(downhill)) {
      x.set(moved);
      y.set(trial);
      state.value = value;
      return true;
    }
    if (!fallen || slope > 0) high = fraction;
    else low = fraction;
    const secant = fraction - (slope * fraction) / (slope - downhill);
    const inside = secant > low && secant < high && Number.isFinite(secant);
    if (inside && fallen) fraction = secant;
    else fraction = high === Number.POSITIVE_INFINITY ? 2 * fraction : (low + high) / 2;
    if (fraction < smallestStep) break;
  }
  // Nothing better is representable: what was is kept.
  line.measure(y, push);
  return false;
}

/** Relative error of the objective from adding it up. */
const rounding = 1e-13;
const smallestStep = 1e-9;

/** x_j . h_t over the whole text. @returns [m, N] */
async function alongAll(text: TextBlocks, products: Products, rows: Float64Array, m: number): Promise<Float64Array> {
  const out = new Float64Array(m * text.count);
  await text.eachBlock(m, async (block, start, end) => {
    const part = await products.along(block, rows, m);
    const n = end - start;
    for (let j = 0; j < m; j++) out.set(part.subarray(j * n, (j + 1) * n), j * text.count + start);
  });
  return out;
}

/** Sum over t of push_jt h_t. @returns [m, d] */
async function backAll(
  text: TextBlocks,
  products: Products,
  states: readonly { push: Float64Array }[],
): Promise<Float64Array> {
  const m = states.length;
  let sum: Float64Array | undefined;
  await text.eachBlock(m, async (block, start, end) => {
    const n = end - start;
    const weights = new Float64Array(m * n);
    for (const [a, { push }] of states.entries()) weights.set(push.subarray(start, end), a * n);
    const part = await products.back(weights, block, m);
    if (sum === undefined) sum = part.slice();
    else for (let i = 0; i < part.length; i++) sum[i]! += part[i]!;
  });
  return sum!;
}

/**
 * For each row the Cholesky factor [c, d, d] of sum_t w_t h_t h_t' + 2 penalty, and sum_t w_t (bias / slope_t) h_t
 * [c, d]: the objective expanded to second order around the ideal, w_t = weights_jt q_t (1 - q_t) slope_t^2.
 */
async function curvatures(
  { size: c, raw, q, bias, where, penalty, weights: ofRows }: RowProblems,
  { text, products, gram, transform: headTransform, hiddenSize: d }: RowTools,
): Promise<{ factors: Float64Array; pull: Float64Array }> {
  const N = text.count;
  const factors = new Float64Array(c * d * d);
  const weights = new Float64Array(c * N);
  const pulls = Array.from({ length: c }, (_, j) => {
    const push = new Float64Array(N);
    for (let t = 0; t < N; t++) {
      const { slope } = transform(headTransform, raw[j * N + t]!);
      const variance = ofRows[j]![t]! * q[j * N + t]! * (1 - q[j * N + t]!);
      weights[j * N + t] = variance * slope * slope;
      push[t] = where?.[j]?.[t] === 0 ? 0 : variance * slope * bias[j]!;
    }
    return { push };
  });
  const thresholds = Array.from({ length: c }, (_, j) =>
    threshold(weights.subarray(j * N, (j + 1) * N), multipliedOut),
  );
  const capacity = Math.max(64, Math.min(4096, Math.floor(gatheredNumbers / (c * d))));
  const gathered = Array.from({ length: c }, () => ({ rows: new Float64Array(0), count: 0 }));
  const left = new Float64Array(c);
  const flush = async (j: number) => {
    const { rows, count } = gathered[j]!;
    if (count === 0) return;
    const part = await gram(rows, count, d);
    const target = factors.subarray(j * d * d, (j + 1) * d * d);
    for (let i = 0; i < part.length; i++) target[i]! += part[i]!;
    gathered[j]!.count = 0;
  };
  const average = new Float64Array(d * d);
  const stride = Math.max(1, Math.floor(N / Math.max(4096, 4 * d)));
  await text.eachBlock(c, async (block, start, end) => {
    for (let j = 0; j < c; j++) {
      const room = gathered[j]!;
      if (room.rows.length === 0) room.rows = new Float64Array(capacity * d);
      for (let t = start; t < end; t++) {
        const weight = weights[j * N + t]!;
        if (weight < thresholds[j]!) {
          left[j]! += weight;
          continue;
        }
        const root = Math.sqrt(weight);
        const at = room.count++ * d;
        const from = (t - start) * d;
        for (let i = 0; i < d; i++) room.rows[at + i] = root * block[from + i]!;
        if (room.count === capacity) await flush(j);
      }
    }
    const sample = new Float64Array(Math.ceil((end - start) / stride) * d);
    for (let t = 0, at = 0; t < end - start; t += stride, at += d) {
      for (let i = 0; i < d; i++) sample[at + i] = block[t * d + i]!;
    }
    const part = await gram(sample, sample.length / d, d);
    for (let i = 0; i < part.length; i++) average[i]! += (part[i]! * stride) / N;
  });
  for (let j = 0; j < c; j++) {
    await flush(j);
    const factor = factors.subarray(j * d * d, (j + 1) * d * d);
    for (let i = 0; i < factor.length; i++) factor[i]! += left[j]! * average[i]!;
    for (let i = 0; i < d; i++) factor[i * d + i]! += 2 * penalty[j]!;
    cholesky(factor, d);
  }
  return { factors, pull: await backAll(text, products, pulls) };
}

/** A weight such that those not below it add up to about that share of all: to within a factor of 2^(1/4). */
export function threshold(weights: Float64Array, share: number): number {
  const bins = new Float64Array(4 * 1100);
  let total = 0;
  for (const weight of weights) {
    if (!(weight > 0)) continue;
    bins[binOf(weight)]! += weight;
    total += weight;
  }
  let sum = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    sum += bins[bin]!;
    if (sum >= share * total) return 2 ** (-(bin + 1) / 4);
  }
  return 0;
}

/** Weights are at most 1. */
const binOf = (weight: number): number => Math.min(4399, Math.max(0, Math.floor(-4 * Math.log2(weight))));
