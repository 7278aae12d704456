import type { Products } from "../../engine/products.js";
import { cholesky, solveLower, solveLowerTransposed } from "../../linalg/cholesky.js";
import { type HeadTransform, transform } from "../../model/head/head-transform.js";
import type { TextBlocks } from "../solve/problem/fitting-text.js";

/**
 * A row that no context can make likely (METHOD.md, "Bans"): E_w' = sum_u a_u E_u with a_u >= 0 and sum a_u = 1. Its odds
 * against all tokens that are not banned are then P_t <= exp(-H(a)) in every context, H(a) = -sum a_u ln a_u.
 */
export interface Combination {
  /** a, [n], in the order of the candidates. */
  readonly weights: Float64Array;
  /** sum_u a_u E_u, [d], and sum_u a_u b_u. */
  readonly row: Float64Array;
  readonly bias: number;
  /** H(a), nats. */
  readonly entropy: number;
  /** Mean over the contexts of P_t. */
  readonly meanOdds: number;
}

export interface CombinationProblem {
  readonly text: TextBlocks;
  readonly products: Products;
  readonly transform: HeadTransform;
  /** ln sum exp of the logits of all tokens that are not banned, [N]. */
  readonly rest: Float64Array;
  /** How much each context counts, [N]; they add up to 1. */
  readonly contextWeights: Float64Array;
  /** Rows of E that may be combined, float32 [n, d], and their biases [n]. */
  readonly rows: Float32Array;
  readonly biases: Float64Array;
  readonly signal?: AbortSignal | undefined;
}

/** Of H(a): it may be above what is asked by this much, and not below. */
const entropySlack = 2e-3;
/** Half the squared length of the step that is left, in the entropy's own metric, relative to the objective's scale of 1. */
const enough = 1e-6;
const mostSteps = 60;
const mostSearches = 40;
/** Multiplier to begin with: about where a bound of some ten-thousandths leads. */
const firstMu = 1 / 3;
/** Steps that Anderson's acceleration looks back on. */
const memory = 8;

/**
 * The combination that minimises ln sum_t weight_t P_t subject to H(a) >= leastEntropy: a convex problem (for heads without a
 * soft cap). With a multiplier mu for the entropy its solution is a = softmax(-(E m + b) / mu), m the mean hidden state under
 * the weights weight_t P_t that it gives itself: a fixed point in d + 1 numbers, found by descent along m - theta with
 * Anderson's acceleration; mu by bisection.
 * @throws RangeError if no combination has the entropy asked for: H(a) <= ln n
 */
export async function bestCombination(problem: CombinationProblem, leastEntropy: number): Promise<Combination> {
  const n = problem.biases.length;
  if (!(leastEntropy < Math.log(n))) {
    throw new RangeError(`an entropy of ${leastEntropy} needs more than ${n} rows`);
  }
  const d = problem.rows.length / n;
  const wanted = leastEntropy + entropySlack / 2;
  // All rows alike: theta = 0, which any mu leads to when it is large enough.
  let best = await stateAt(problem, new Float64Array(d + 1), Number.POSITIVE_INFINITY);
  let state = best;
  let below: Tried | undefined;
  let above: Tried | undefined;
  let logMu = Math.log(firstMu);
  for (let search = 0; search < mostSearches; search++) {
    state = await fixedPoint(problem, Math.exp(logMu), state);
    const { entropy } = state;
    if (entropy >= leastEntropy) best = state;
    if (Math.abs(entropy - wanted) <= entropySlack / 2) break;
    if (entropy < wanted) below = { logMu, entropy };
    else above = { logMu, entropy };
    logMu = nextLogMu(below, above, wanted);
  }
  const { weights, row, bias, entropy, logMean } = best;
  return { weights, row, bias, entropy, meanOdds: Math.exp(logMean) };
}

/** A multiplier that was tried, and the entropy that it led to: the larger it is, the larger that. */
interface Tried {
  readonly logMu: number;
  readonly entropy: number;
}

/** By the line through two of them; with a single one, as if the entropy grew by 1 with ln mu, which it about does. */
function nextLogMu(below: Tried | undefined, above: Tried | undefined, wanted: number): number {
  if (below && above) {
    const share = (wanted - below.entropy) / (above.entropy - below.entropy);
    return below.logMu + Math.min(0.95, Math.max(0.05, share)) * (above.logMu - below.logMu);
  }
  const one = (below ?? above)!;
  const step = wanted - one.entropy;
  // A little too far, so that it comes to lie between two.
  return one.logMu + 1.2 * step + Math.sign(step) * 1e-3;
}

/** All that follows from theta. */
interface State {
  readonly theta: Float64Array;
  readonly weights: Float64Array;
  readonly row: Float64Array;
  readonly bias: number;
  readonly entropy: number;
  /** ln sum_t weight_t P_t. */
  readonly logMean: number;
  /** sum_t pi_t h_t and sum_t pi_t, pi the shares of the contexts in the mean times the slope of the transform: [d + 1]. */
  readonly pull: Float64Array;
}

async function fixedPoint(problem: CombinationProblem, mu: number, start: State): Promise<State> {
  let state = await stateAt(problem, start.theta, mu);
  const past: { theta: Float64Array; residual: Float64Array }[] = [];
  for (let step = 0; step < mostSteps; step++) {
    problem.signal?.throwIfAborted();
    const residual = state.pull.map((value, i) => value - state.theta[i]!);
    // The derivative of the objective along the residual is -Var_a(E r) / mu.
    const slope = varianceAlong(problem, state.weights, residual) / mu;
    if (!(slope > enough)) break;
    past.push({ theta: state.theta, residual });
    if (past.length > memory) past.shift();
    const accelerated = past.length > 1 ? anderson(past) : undefined;
    let next = accelerated && (await better(problem, mu, state, accelerated, 0));
    if (next === undefined) {
      let fraction = 1;
      for (let halving = 0; halving < 12 && next === undefined; halving++, fraction /= 2) {
        const tried = state.theta.map((value, i) => value + fraction * residual[i]!);
        next = await better(problem, mu, state, tried, 1e-4 * fraction * slope);
      }
    }
    if (next === undefined) break;
    state = next;
  }
  return state;
}

/** The state at a theta, if its objective lies below by what is wanted. */
async function better(
  problem: CombinationProblem,
  mu: number,
  than: State,
  theta: Float64Array,
  by: number,
): Promise<State | undefined> {
  const state = await stateAt(problem, theta, mu);
  const value = (one: State) => one.logMean - mu * one.entropy;
  return value(state) < value(than) - by ? state : undefined;
}

async function stateAt(problem: CombinationProblem, theta: Float64Array, mu: number): Promise<State> {
  const { text, products, rest, contextWeights, rows, biases } = problem;
  const n = biases.length;
  const d = theta.length - 1;
  const logits = alongRows(rows, theta, d);
  for (let u = 0; u < n; u++) logits[u] = -(logits[u]! + theta[d]! * biases[u]!) / mu;
  const { weights, entropy } = softmaxWithEntropy(logits);
  const row = new Float64Array(d);
  let bias = 0;
  for (let u = 0; u < n; u++) {
    const a = weights[u]!;
    if (a === 0) continue;
    bias += a * biases[u]!;
    for (let i = 0; i < d; i++) row[i]! += a * rows[u * d + i]!;
  }
  const N = text.count;
  const logOdds = new Float64Array(N);
  const slopes = new Float64Array(N);
  await text.eachBlock(1, async (block, start, end) => {
    const along = await products.along(block, row, 1);
    for (let t = start; t < end; t++) {
      const { value, slope } = transform(problem.transform, along[t - start]! + bias);
      logOdds[t] = contextWeights[t]! > 0 ? value - rest[t]! + Math.log(contextWeights[t]!) : Number.NEGATIVE_INFINITY;
      slopes[t] = slope;
    }
  });
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of logOdds) largest = Math.max(largest, value);
  let sum = 0;
  for (let t = 0; t < N; t++) {
    logOdds[t] = Math.exp(logOdds[t]! - largest);
    sum += logOdds[t]!;
  }
  const pull = new Float64Array(d + 1);
  const shares = logOdds;
  for (let t = 0; t < N; t++) {
    shares[t] = (shares[t]! / sum) * slopes[t]!;
    pull[d]! += shares[t]!;
  }
  await text.eachBlock(1, async (block, start, end) => {
    const part = await products.back(shares.subarray(start, end), block, 1);
    for (let i = 0; i < d; i++) pull[i]! += part[i]!;
  });
  return { theta, weights, row, bias, entropy, logMean: largest + Math.log(sum), pull };
}

/** E_u . theta for each row, theta's last number left out. @returns [n] */
function alongRows(rows: Float32Array, theta: Float64Array, d: number): Float64Array {
  const out = new Float64Array(rows.length / d);
  for (let u = 0; u < out.length; u++) {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += rows[u * d + i]! * theta[i]!;
    out[u] = sum;
  }
  return out;
}

function varianceAlong({ rows, biases }: CombinationProblem, weights: Float64Array, vector: Float64Array): number {
  const d = vector.length - 1;
  const values = alongRows(rows, vector, d);
  let mean = 0;
  for (let u = 0; u < values.length; u++) {
    values[u]! += vector[d]! * biases[u]!;
    mean += weights[u]! * values[u]!;
  }
  let variance = 0;
  for (let u = 0; u < values.length; u++) variance += weights[u]! * (values[u]! - mean) ** 2;
  return variance;
}

function softmaxWithEntropy(logits: Float64Array): { weights: Float64Array; entropy: number } {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of logits) largest = Math.max(largest, value);
  let sum = 0;
  const weights = logits.map((value) => {
    const weight = Math.exp(value - largest);
    sum += weight;
    return weight;
  });
  let mean = 0;
  for (let u = 0; u < weights.length; u++) {
    weights[u]! /= sum;
    mean += weights[u]! * (logits[u]! - largest);
  }
  return { weights, entropy: Math.log(sum) - mean };
}

/**
 * Anderson's mixing (J. ACM 12, 1965): the affine combination of the last thetas whose residuals cancel best, moved on by
 * what is left of them.
 */
function anderson(past: readonly { theta: Float64Array; residual: Float64Array }[]): Float64Array {
  const latest = past.at(-1)!;
  const differences = past.slice(0, -1).map(({ theta, residual }) => ({
    theta: theta.map((value, i) => latest.theta[i]! - value),
    residual: residual.map((value, i) => latest.residual[i]! - value),
  }));
  const k = differences.length;
  const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const normal = new Float64Array(k * k);
  const gamma = new Float64Array(k);
  let trace = 0;
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) normal[i * k + j] = inner(differences[i]!.residual, differences[j]!.residual);
    gamma[i] = inner(differences[i]!.residual, latest.residual);
    trace += normal[i * k + i]!;
  }
  for (let i = 0; i < k; i++) normal[i * k + i]! += 1e-10 * trace;
  cholesky(normal, k);
  solveLower(normal, k, gamma);
  solveLowerTransposed(normal, k, gamma);
  return latest.theta.map((value, i) => {
    let next = value + latest.residual[i]!;
    for (let j = 0; j < k; j++) next -= gamma[j]! * (differences[j]!.theta[i]! + differences[j]!.residual[i]!);
    return next;
  });
}
