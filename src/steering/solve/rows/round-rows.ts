import type { Products } from "../../../engine/products.js";
import type { Head } from "../../../model/head/head.js";
import { transform } from "../../../model/head/head-transform.js";
import { asStored } from "../../../model/head/stored-rows.js";
import { blockRowsOf } from "../../../tensor/blocks/block-rows.js";
import { type EditedTokens, productValues } from "../problem/edited-tokens.js";
import type { FittingText } from "../problem/fitting-text.js";
import { groupSums, toShares } from "../problem/shares.js";
import { moveLastDigits, numberFormats } from "./last-digits.js";
import { moveCodes, type WantedMove } from "./move-codes.js";

/** Of ln(actual / wanted): half of what is promised, since who checks may do so with float32 logits. */
const enough = 5e-7;
/** Near the end each round is a throw of dice: moves of last digits change the logits by more than what is left to gain. */
const maxRounds = 40;
/** Share of the error below which it is worth going on from there: each round of moves adds noise to the logits. */
const muchBetter = 0.02;
/** Errors that few small moves make good. */
const nearlyThere = 1e-4;

/** Edits that are to become rows in E's number type. */
export interface RowsToRound {
  readonly head: Head;
  readonly text: FittingText;
  readonly products: Products;
  readonly tokens: EditedTokens;
  /** Group of each edited token, [m]. */
  readonly groupOf: readonly number[];
  /** x_j, [m, d]. */
  readonly edits: Float64Array;
  /** Mean probability that each group is to keep, [G]; undefined leaves the rows as rounded. */
  readonly aims: Float64Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * New rows in E's number type. Rounding alone would move the mean probability, so last digits of single components are
 * then moved by one where that brings it back, by the gradient of ln alpha.
 * @returns the rows [m, d], and by how much rounding alone moves their logits (root mean square, of the worst row)
 */
export async function roundRows(problem: RowsToRound): Promise<{ rows: Float64Array; noise: number }> {
  const { head, tokens, edits, aims } = problem;
  const exact = edits.map((value, index) => tokens.rows[index]! + value);
  const rounded = asStored(head.weight, exact);
  const noise = await logitNoise(
    problem,
    rounded.map((value, index) => value - exact[index]!),
  );
  if (aims === undefined) return { rows: rounded, noise };
  const mover = moverOf(problem);
  if (mover === undefined) return { rows: rounded, noise };
  if (blockRowsOf(head.weight) === undefined) return { rows: await broughtBack(problem, rounded, aims, mover), noise };
  const start = await bestLengths(problem, exact, aims);
  return { rows: await eachBroughtBack(problem, start, aims, mover), noise };
}

/** Moves numbers of some rows, in place, to others of E's number type, until ln alpha has moved as far as is wanted. */
type Mover = (values: Float64Array, gradient: Float64Array, rows: readonly number[], move: WantedMove) => void;

/** Undefined for a type in which there is nothing to move. */
function moverOf({ head }: RowsToRound): Mover | undefined {
  const { weight, hiddenSize: d } = head;
  const blocks = blockRowsOf(weight);
  if (blocks) return (values, gradient, rows, move) => moveCodes(blocks, values, gradient, rows, { ...move, d });
  const format = numberFormats[weight.dtype];
  if (format === undefined) return undefined;
  return (values, gradient, rows, move) => {
    const places = rows.flatMap((j) => Array.from({ length: d }, (_, i) => j * d + i));
    moveLastDigits(values, gradient, places, { ...move, format });
    values.set(asStored(weight, values));
  };
}

/** Lengths that are tried on either side: rounding to blocks is a throw of dice. */
const lengthTries = 10;
/** How far from one another they are, relative to the error that rounding alone makes: together they reach beyond what makes that good. */
const lengthStep = 0.1;

/** The rows as rounded at the lengths at which each group comes nearest to its aim. */
async function bestLengths(problem: RowsToRound, exact: Float64Array, aims: Float64Array): Promise<Float64Array> {
  const { head, groupOf, signal } = problem;
  const d = head.hiddenSize;
  const errorsOf = async (rows: Float64Array) => {
    const { mean } = await slopesAt(problem, rows, aims.length);
    return aims.map((aim, g) => Math.abs(Math.log(mean[g]! / aim)));
  };
  const best = asStored(head.weight, exact);
  const first = await errorsOf(best);
  const errors = first.slice();
  for (let k = 1; k <= 2 * lengthTries; k++) {
    signal?.throwIfAborted();
    // The nearest lengths first, so that of equals the one that changes least is taken.
    const away = Math.ceil(k / 2) * (k % 2 === 0 ? 1 : -1);
    const factors = first.map((error) => 1 + away * lengthStep * Math.min(error, 1));
    const rows = asStored(
      head.weight,
      exact.map((value, i) => value * factors[groupOf[Math.floor(i / d)]!]!),
    );
    const found = await errorsOf(rows);
    for (const [j, g] of groupOf.entries()) {
      if (found[g]! < errors[g]!) best.set(rows.subarray(j * d, (j + 1) * d), j * d);
    }
    for (const [g, error] of found.entries()) errors[g] = Math.min(errors[g]!, error);
  }
  return best;
}

/** Of the logits of the worst row, root mean square over contexts. @param differences of the rows, [m, d] */
async function logitNoise({ text, products, groupOf }: RowsToRound, differences: Float64Array): Promise<number> {
  const m = groupOf.length;
  const squares = new Float64Array(m);
  await text.eachBlock(groupOf.length, async (block, start, end) => {
    const moved = await products.along(block, differences, m);
    for (let i = 0; i < moved.length; i++) squares[Math.floor(i / (end - start))]! += moved[i]! ** 2 / text.count;
  });
  return Math.sqrt(Math.max(...squares));
}

/** Rows whose mean probabilities are as aimed at, or as near to that as rounds of moves of last digits have come. */
async function broughtBack(
  problem: RowsToRound,
  rounded: Float64Array,
  aims: Float64Array,
  mover: Mover,
): Promise<Float64Array> {
  let base = await judged(problem, rounded, aims);
  let best = base;
  const beyond = new Float64Array(aims.length);
  for (let attempt = 0; attempt < maxRounds && best.error > enough && Number.isFinite(best.error); attempt++) {
    problem.signal?.throwIfAborted();
    const next = await judged(problem, moved(problem, base, beyond, mover), aims);
    if (next.error < best.error) best = next;
    if (next.error < Math.max(muchBetter * base.error, nearlyThere)) {
      base = next;
      beyond.fill(0);
    } else {
      // What large steps do beyond the gradient is much the same each time: allowed for, it goes.
      for (const [g, one] of next.errors.entries()) beyond[g]! += one;
    }
  }
  return best.rows;
}

/**
 * The same for rows in blocks, whose numbers are so coarse that moves do much beyond the gradient: each group keeps its moves only
 * where they bring it nearer, whatever they do to the others.
 */
async function eachBroughtBack(
  problem: RowsToRound,
  start: Float64Array,
  aims: Float64Array,
  mover: Mover,
): Promise<Float64Array> {
  const d = problem.head.hiddenSize;
  const beyond = new Float64Array(aims.length);
  let base = await judged(problem, start, aims);
  let best = base;
  for (let attempt = 0; attempt < maxRounds && best.error > enough && Number.isFinite(best.error); attempt++) {
    problem.signal?.throwIfAborted();
    const tried = await judged(problem, moved(problem, base, beyond, mover), aims);
    const isNearer = tried.errors.map((error, g) => Math.abs(error) < Math.abs(base.errors[g]!));
    const rows = base.rows.slice();
    for (const [j, g] of problem.groupOf.entries()) {
      if (isNearer[g]) rows.set(tried.rows.subarray(j * d, (j + 1) * d), j * d);
    }
    for (const [g, error] of tried.errors.entries()) beyond[g] = isNearer[g] ? 0 : beyond[g]! + error;
    base = isNearer.every(Boolean) ? tried : await judged(problem, rows, aims);
    if (base.error < best.error) best = base;
  }
  return best.rows;
}

interface JudgedRows {
  readonly rows: Float64Array;
  /** Mean probability of each group [G], and its derivatives by the members' rows [m, d]. */
  readonly mean: Float64Array;
  readonly gradient: Float64Array;
  /** ln(mean / aim), [G], and the largest of their sizes. */
  readonly errors: readonly number[];
  readonly error: number;
}

async function judged(problem: RowsToRound, rows: Float64Array, aims: Float64Array): Promise<JudgedRows> {
  const { mean, gradient } = await slopesAt(problem, rows, aims.length);
  const errors = Array.from(aims, (aim, g) => Math.log(mean[g]! / aim));
  return { rows, mean, gradient, errors, error: Math.max(...errors.map(Math.abs)) };
}

/** @param beyond what moves do beyond the gradient, as far as it is known, [G] */
function moved(
  { groupOf }: RowsToRound,
  { rows, mean, gradient, errors }: JudgedRows,
  beyond: Float64Array,
  mover: Mover,
): Float64Array {
  const next = rows.slice();
  for (const [g, error] of errors.entries()) {
    const left = error + beyond[g]!;
    if (!(Math.abs(left) > enough / 2)) continue;
    const members = groupOf.flatMap((of, j) => (of === g ? [j] : []));
    mover(next, gradient, members, { alpha: mean[g]!, wanted: -left, enough: enough / 2 });
  }
  return next;
}

/** Mean probability of each group [G], and its derivatives by the members' rows [m, d]. */
async function slopesAt({ head, text, products, tokens, groupOf }: RowsToRound, rows: Float64Array, groups: number) {
  const mean = new Float64Array(groups);
  const gradient = new Float64Array(rows.length);
  const raw = productValues(text, products, rows, tokens.bias);
  await text.eachBlock(groupOf.length, async (block, start, end) => {
    const n = end - start;
    const before = await raw.of(block, start);
    const p = before.map((z) => transform(head.transform, z).value);
    toShares(p, tokens.rest.subarray(start, end));
    const shares = groupSums(p, groupOf, groups);
    const weights = new Float64Array(p.length);
    for (const [j, g] of groupOf.entries()) {
      for (let t = 0; t < n; t++) {
        const share = p[j * n + t]!;
        mean[g]! += share / text.count;
        const { slope } = transform(head.transform, before[j * n + t]!);
        weights[j * n + t] = (share * (1 - shares[g * n + t]!) * slope) / text.count;
      }
    }
    const part = await products.back(weights, block, groupOf.length);
    for (let i = 0; i < part.length; i++) gradient[i]! += part[i]!;
  });
  return { mean, gradient };
}
