import { createProducts } from "../../engine/products.js";
import { type StoredContexts, someContexts } from "../../model/contexts/stored-contexts.js";
import { type HeadTransform, isIdentity, transform } from "../../model/head/head-transform.js";
import type { Model } from "../../model/model.js";
import { editedTokens } from "../../steering/solve/problem/edited-tokens.js";
import { fittingText } from "../../steering/solve/problem/fitting-text.js";
import type { SlidePath } from "./slide-path.js";

/** Numbers held of a path: of larger sets of tokens fewer contexts answer. */
const heldNumbers = 2 ** 22;
const fewestContexts = 64;

/** An edit that stays as it is while another one's slider moves. */
export interface StandingEdit {
  readonly ids: readonly number[];
  /** E_w' - E_w, [m, d]. */
  readonly rows: Float64Array;
}

/** What a position of a slider does to the text. */
export interface LiveAnswer {
  /** Mean probability of the slider's tokens over that before, and so of each standing edit's. */
  readonly scale: number;
  readonly others: readonly number[];
  /** KL(before || after), nats. */
  readonly kl: number;
  /** Squared length of the change of the slider's rows. */
  readonly square: number;
  /** The path's two places that the rows lie between, the share of the second, and the length that calibrates them. */
  readonly between: { readonly from: number; readonly to: number; readonly share: number; readonly length: number };
}

/** Answers positions of one slider at once: nothing of it waits for the engine. */
export interface LiveSlide {
  readonly path: SlidePath;
  /** @param place ln of the factor that is asked for */
  answer(place: number): LiveAnswer;
}

/** All that a slider's answers are made of, in some contexts of the text. */
export async function openSlide(
  model: Model,
  contexts: StoredContexts,
  path: SlidePath,
  standing: readonly StandingEdit[],
  signal: AbortSignal,
): Promise<LiveSlide> {
  const { head, engine } = model;
  const m = path.ids.length;
  const n = Math.min(
    contexts.count,
    Math.max(fewestContexts, Math.floor(heldNumbers / (m * (path.places.length + 3)))),
  );
  const chosen = n === contexts.count ? contexts : someContexts(contexts, evenly(contexts.count, n));
  const subject = { head, engine, contexts: chosen };
  const text = await fittingText(subject, { signal });
  const products = await createProducts(engine, head.hiddenSize);
  try {
    const ids = [...path.ids, ...standing.flatMap((edit) => edit.ids)];
    const tokens = await editedTokens(subject, text, products, ids, { signal });
    const raw = new Float64Array(ids.length * n);
    const along = path.rows.map(() => new Float64Array(m * n));
    const shifts = standing.map(({ ids: own }) => new Float64Array(own.length * n));
    await text.eachBlock(ids.length, async (block, start, end) => {
      signal.throwIfAborted();
      const put = (into: Float64Array, part: Float64Array, rows: number) => {
        for (let j = 0; j < rows; j++)
          into.set(part.subarray(j * (end - start), (j + 1) * (end - start)), j * n + start);
      };
      put(raw, await tokens.raw.of(block, start), ids.length);
      for (const [p, rows] of path.rows.entries()) put(along[p]!, await products.along(block, rows, m), m);
      for (const [o, edit] of standing.entries())
        put(shifts[o]!, await products.along(block, edit.rows, edit.ids.length), edit.ids.length);
    });
    return slideOf(
      path,
      prepared({ raw, rest: tokens.rest, along, shifts, m, n, transform: head.transform }),
      head.transform,
    );
  } finally {
    await products.release();
  }
}

interface Numbers {
  /** Logits of the slider's tokens and then of the standing ones', before the transform, [., n]. */
  readonly raw: Float64Array;
  /** ln sum exp of all other tokens' logits, [n]. */
  readonly rest: Float64Array;
  /** x . h at each of the path's places, [m, n]. */
  readonly along: readonly Float64Array[];
  readonly shifts: readonly Float64Array[];
  readonly m: number;
  readonly n: number;
  readonly transform: HeadTransform;
}

interface Prepared {
  readonly raw: Float64Array;
  readonly along: readonly Float64Array[];
  readonly m: number;
  readonly n: number;
  /** ln sum exp of all tokens but the slider's, with the standing edits, [n]. */
  readonly rest: Float64Array;
  /** exp of each standing edit's logits over that, [n] each, and their means before any edit. */
  readonly shares: readonly Float64Array[];
  readonly othersBefore: readonly number[];
  /** p of the slider's tokens before any edit, [m, n], and their mean together. */
  readonly before: Float64Array;
  readonly meanBefore: number;
  /** What standing edits add to KL less ln of the normalizer before, mean. */
  readonly standingKl: number;
}

function prepared({ raw, rest, along, shifts, m, n, transform: own }: Numbers): Prepared {
  const all = raw.length / n;
  const z = (j: number, t: number, shift = 0) => transform(own, raw[j * n + t]! + shift).value;
  const restNow = new Float64Array(n);
  const before = new Float64Array(m * n);
  const shares = shifts.map(() => new Float64Array(n));
  const othersBefore = shifts.map(() => 0);
  let [meanBefore, standingKl] = [0, 0];
  for (let t = 0; t < n; t++) {
    let [sumBefore, sumNow] = [1, 1];
    for (let j = 0; j < all; j++) sumBefore += Math.exp(z(j, t) - rest[t]!);
    for (let j = 0; j < m; j++) {
      before[j * n + t] = Math.exp(z(j, t) - rest[t]!) / sumBefore;
      meanBefore += before[j * n + t]! / n;
    }
    let at = m;
    for (const [o, shift] of shifts.entries()) {
      for (let k = 0; k < shift.length / n; k++, at++) {
        const [old, now] = [z(at, t), z(at, t, shift[k * n + t]!)];
        const p = Math.exp(old - rest[t]!) / sumBefore;
        othersBefore[o]! += p / n;
        standingKl += (p * (old - now)) / n;
        shares[o]![t]! += Math.exp(now - rest[t]!);
        sumNow += Math.exp(now - rest[t]!);
      }
    }
    restNow[t] = rest[t]! + Math.log(sumNow);
    for (const share of shares) share[t]! /= sumNow;
    standingKl -= (rest[t]! + Math.log(sumBefore)) / n;
  }
  return { raw, along, m, n, rest: restNow, shares, othersBefore, before, meanBefore, standingKl };
}

const maxSteps = 40;
/** |ln(reached / wanted)| of the mean probability: what a slider promises. */
const reached = 1e-9;
const longestStep = 0.5;

function slideOf(path: SlidePath, text: Prepared, own: HeadTransform): LiveSlide {
  const { m, n, raw, rest, along, meanBefore } = text;
  const plain = isIdentity(own);
  const y = new Float64Array(m * n);
  const products = gramOfPlaces(path);
  /** Mean of the slider's tokens at a length of the edit, and its derivative. */
  const measure = (length: number) => {
    let [mean, slope] = [0, 0];
    for (let t = 0; t < n; t++) {
      let [sum, moved] = [0, 0];
      for (let at = t; at < y.length; at += n) {
        const logit = raw[at]! + length * y[at]!;
        const { value, slope: bend } = plain ? { value: logit, slope: 1 } : transform(own, logit);
        const weight = Math.exp(Math.min(value - rest[t]!, 700));
        sum += weight;
        moved += weight * bend * y[at]!;
      }
      mean += sum / (1 + sum);
      slope += moved / (1 + sum) / (1 + sum);
    }
    return { mean: mean / n, slope: slope / n };
  };
  return {
    path,
    answer(asked) {
      const { from, to, share } = placeOf(path.places, asked);
      const [a, b] = [along[from]!, along[to]!];
      for (let at = 0; at < y.length; at++) y[at] = (1 - share) * a[at]! + share * b[at]!;
      const wanted = Math.exp(Math.max(path.places[0]!, Math.min(path.places.at(-1)!, asked))) * meanBefore;
      const length = calibrated(measure, wanted);
      const square =
        length ** 2 *
        ((1 - share) ** 2 * products(from, from) +
          2 * share * (1 - share) * products(from, to) +
          share ** 2 * products(to, to));
      return { ...effects(text, own, y, length), square, between: { from, to, share, length } };
    },
  };
}

/** The length at which the mean is as wanted, or as near as Newton's steps on its logarithm come. */
function calibrated(measure: (length: number) => { mean: number; slope: number }, wanted: number): number {
  let length = 1;
  for (let step = 0; step < maxSteps; step++) {
    const { mean, slope } = measure(length);
    const miss = Math.log(wanted / mean);
    if (!(Math.abs(miss) > reached) || !(Math.abs(slope) > 0)) break;
    const move = (miss * mean) / slope;
    length += Math.max(-longestStep, Math.min(longestStep, move));
  }
  return length;
}

/** What the edit does at a length. */
function effects(
  { raw, rest, before, meanBefore, shares, othersBefore, standingKl, m, n }: Prepared,
  own: HeadTransform,
  y: Float64Array,
  length: number,
): Pick<LiveAnswer, "scale" | "others" | "kl"> {
  const others = shares.map(() => 0);
  let [mean, kl] = [0, standingKl];
  for (let t = 0; t < n; t++) {
    let sum = 0;
    for (let j = 0; j < m; j++) {
      const at = j * n + t;
      const old = transform(own, raw[at]!).value;
      const now = transform(own, raw[at]! + length * y[at]!).value;
      kl += (before[at]! * (old - now)) / n;
      sum += Math.exp(Math.min(now - rest[t]!, 700));
    }
    mean += sum / (1 + sum) / n;
    kl += (rest[t]! + Math.log1p(sum)) / n;
    for (const [o, share] of shares.entries()) others[o]! += share[t]! / (1 + sum) / n;
  }
  return { scale: mean / meanBefore, others: others.map((after, o) => after / othersBefore[o]!), kl: Math.max(0, kl) };
}

/** Between which places a slider stands, and the share of the second. */
function placeOf(places: readonly number[], asked: number): { from: number; to: number; share: number } {
  const place = Math.max(places[0]!, Math.min(places.at(-1)!, asked));
  const to = Math.max(
    1,
    places.findIndex((one) => one >= place),
  );
  const from = to - 1;
  return { from, to, share: (place - places[from]!) / (places[to]! - places[from]!) };
}

/** Products of the path's rows with one another. */
function gramOfPlaces({ rows }: SlidePath): (a: number, b: number) => number {
  const found = new Map<number, number>();
  return (a, b) => {
    const key = a * rows.length + b;
    let value = found.get(key);
    if (value === undefined) {
      value = rows[a]!.reduce((sum, x, i) => sum + x * rows[b]![i]!, 0);
      found.set(key, value);
    }
    return value;
  };
}

const evenly = (count: number, n: number): number[] => Array.from({ length: n }, (_, i) => Math.floor((i * count) / n));
