import type { Products } from "../../engine/products.js";
import { norm } from "../../linalg/dot.js";
import type { Gram } from "../../linalg/gram.js";
import type { ContextRows } from "../../model/contexts/stored-contexts.js";
import { transform } from "../../model/head/head-transform.js";
import { type EditedTokens, editedTokens, joinedTokens } from "../solve/problem/edited-tokens.js";
import {
  fittingText,
  joinedTexts,
  type Subject,
  type TextBlocks,
  type Watched,
} from "../solve/problem/fitting-text.js";
import { divergence } from "../solve/problem/shares.js";
import { nearestRows } from "../solve/rows/nearest-rows.js";
import type { SolvedGroup } from "../solve/solution.js";
import { atPlaces, bisected, difference, type HeldPlaces, lengthFor, roundedRow, sigmoid } from "./word-rows.js";

/** Contexts that a word's edit is fitted to. */
export interface WordContexts {
  readonly contexts: ContextRows;
  /** 1 where the logit is to be shifted, 2 where the target's mean is taken besides, [N]; left out, it is to stay everywhere. */
  readonly marked?: Uint8Array | undefined;
  /** How much all that are not marked count together, or each of them, [N]: those of the text together count 1. */
  readonly weight: number | Float64Array;
}

export interface WordProblem {
  /** The piece whose row is edited. */
  readonly id: number;
  readonly target: { readonly scale: number } | { readonly logOdds: number };
  readonly lambda: number;
  /** Solve the length so that the target holds. */
  readonly calibrate: boolean;
  readonly contexts: readonly WordContexts[];
}

/** A word's edit: its row as rounded to E's number type, [d], and what it does where the pieces before it stand. */
export interface SolvedWord extends Omit<SolvedGroup, "tokens" | "target"> {
  readonly row: Float64Array;
}

/** Of contexts that a mean is taken over. */
export const meanMark = 2;
/** How much the contexts in which the logit is to be shifted count together, where those of the text count 1. */
const markedWeight = 0.1;
/** Of the logarithm of a mean probability. */
const missed = 1e-3;

/**
 * The row of a piece of a word that is nearest to a logit shift in the contexts that end in the pieces before it, and to none in
 * all others (METHOD.md, "Words"): the convex problem of `nearest` with a target for each context. Its length is then solved so
 * that the mean probability of the piece is as wanted, in those that a mean is taken over.
 * @throws RangeError if there are none of those, or no probability is as likely as that
 */
export async function solveWord(
  { head, engine }: Pick<Subject, "head" | "engine">,
  { id, target, lambda, calibrate, contexts }: WordProblem,
  { products, gram }: { readonly products: Products; readonly gram: Gram },
  watched: Watched = {},
): Promise<SolvedWord> {
  const { text, tokens, marked, weights } = await posed({ head, engine }, id, contexts, products, watched);
  const raw = new Float64Array(text.count);
  await text.eachBlock(1, async (block, start) => raw.set(await tokens.raw.of(block, start), start));
  const odds = raw.map((z, t) => transform(head.transform, z).value - tokens.rest[t]!);
  const places = await markedPlaces(text, marked, raw, tokens.rest, head.hiddenSize);
  const there = places.index.map((t) => odds[t]!);
  const before = meanOf(there);
  const { shift, wanted } = idealShift(there, before, target);
  const x = await nearestRows(
    {
      ...{ size: 1, raw, others: tokens.rest, weights: [weights], where: [marked] },
      q: odds.map((s, t) => sigmoid(marked[t] ? s + shift : s)),
      bias: Float64Array.of(shift),
      penalty: Float64Array.of(lambda * markedWeight * Math.max(wanted, before)),
    },
    { text, products, gram, transform: head.transform, hiddenSize: head.hiddenSize, signal: watched.signal },
  );
  const length = calibrate ? lengthFor(head, places, x, wanted) : 1;
  const longer = x.map((value) => length * value);
  const row = roundedRow(head, tokens.rows, longer, places, calibrate ? wanted : undefined);
  const change = difference(row, tokens.rows);
  const after = atPlaces(head, places, change);
  const [original, ideal] = [there.map(sigmoid), there.map((s) => sigmoid(s + shift))];
  return {
    row,
    ...{ method: "nearest", lambda, idealBias: shift },
    klToIdeal: meanDivergence(ideal, after.each),
    klOfIdeal: meanDivergence(original, ideal),
    probability: { before, wanted, after: after.mean },
    norms: [norm(change)],
    shortfall: calibrate ? shortfallOf(after.mean, wanted) : undefined,
  };
}

function shortfallOf(after: number, wanted: number): string | undefined {
  if (Math.abs(Math.log(after / wanted)) <= missed) return undefined;
  return `mean probability ${after.toPrecision(6)} after the pieces before it instead of ${wanted.toPrecision(6)}: no length of the edit comes nearer`;
}

const meanDivergence = (from: ArrayLike<number>, to: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < from.length; i++) sum += divergence(from[i]!, to[i]!);
  return sum / from.length;
};

const meanOf = (odds: readonly number[]): number => odds.reduce((sum, s) => sum + sigmoid(s), 0) / odds.length;

/** All contexts in one, which of them are marked, and how much each counts. */
async function posed(
  { head, engine }: Pick<Subject, "head" | "engine">,
  id: number,
  parts: readonly WordContexts[],
  products: Products,
  watched: Watched,
) {
  let text: TextBlocks | undefined;
  let tokens: (Pick<EditedTokens, "raw" | "rest"> & Pick<EditedTokens, "rows">) | undefined;
  const marked = new Uint8Array(parts.reduce((sum, { contexts }) => sum + contexts.count, 0));
  const weights = new Float64Array(marked.length);
  let start = 0;
  for (const { contexts, marked: own, weight } of parts) {
    const subject = { head, engine, contexts };
    const part = await fittingText(subject, watched);
    const here = await editedTokens(subject, part, products, [id], watched);
    text = text ? joinedTexts(text, part) : part;
    tokens = tokens ? { ...joinedTokens(tokens, here), rows: here.rows } : here;
    if (own) marked.set(own, start);
    const others = contexts.count - (own?.filter(Boolean).length ?? 0);
    if (typeof weight === "number") weights.fill(others > 0 ? weight / others : 0, start, start + contexts.count);
    else weights.set(weight, start);
    start += contexts.count;
  }
  const count = marked.filter(Boolean).length;
  if (!marked.includes(meanMark) || text === undefined || tokens === undefined)
    throw new RangeError("no context ends in the word's first pieces");
  for (const [t, mark] of marked.entries()) if (mark) weights[t] = markedWeight / count;
  return { text, tokens, marked, weights };
}

/** The contexts that the mean is taken over, and their places among all. */
interface MarkedPlaces extends HeldPlaces {
  readonly index: readonly number[];
}

async function markedPlaces(
  text: TextBlocks,
  marked: Uint8Array,
  raw: Float64Array,
  rest: Float64Array,
  d: number,
): Promise<MarkedPlaces> {
  const index: number[] = [];
  for (const [t, mark] of marked.entries()) if (mark === meanMark) index.push(t);
  const hidden = new Float32Array(index.length * d);
  let next = 0;
  await text.eachBlock(1, (block, start, end) => {
    for (; next < index.length && index[next]! < end; next++) {
      const from = (index[next]! - start) * d;
      hidden.set(block.subarray(from, from + d), next * d);
    }
  });
  const at = (values: Float64Array) => Float64Array.from(index, (t) => values[t]!);
  return { index, hidden, raw: at(raw), rest: at(rest) };
}

/** The logit shift that gives the mean probability that is wanted, by bisection. @param odds log-odds in the contexts */
function idealShift(
  odds: readonly number[],
  before: number,
  target: WordProblem["target"],
): { shift: number; wanted: number } {
  const meanAfter = (shift: number) => meanOf(odds.map((s) => s + shift));
  if ("logOdds" in target) return { shift: target.logOdds, wanted: meanAfter(target.logOdds) };
  const wanted = target.scale * before;
  if (!(wanted < 1)) {
    throw new RangeError(
      `after the pieces before it the piece has a probability of ${before.toPrecision(3)}; ${target.scale} times that is no probability`,
    );
  }
  return { shift: bisected(-largestShift, largestShift, meanAfter, wanted), wanted };
}

const largestShift = 200;
