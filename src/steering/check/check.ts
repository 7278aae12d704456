import { largestMovers, type Mover } from "../../compare/comparison.js";
import { inOrder } from "../../engine/in-order.js";
import { InputError } from "../../errors.js";
import { type ContextValues, contextValues, type Spread } from "../../measures/context-values.js";
import { divergenceSession, type HeadDivergences } from "../../measures/divergence-session.js";
import { divergenceSums, firstNonFinite, type TextDivergences } from "../../measures/divergence-sums.js";
import { type EditedRowsSession, editedRowsSession } from "../../measures/edited-rows-session.js";
import type { Interval } from "../../measures/interval.js";
import { differInRowsOnly } from "../../model/head/differing-rows.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { type TokenNames, tokenNames } from "../../model/head/token-names.js";
import type { Model } from "../../model/model.js";
import type { Windows } from "../../model/pass/window-batches.js";
import { followingTokens } from "../../model/pass/window-batches.js";
import type { SolvedGroup } from "../solve/solution.js";
import { type CheckBatches, type CheckSource, checkBatches, type ReadOptions } from "./check-source.js";
import { type CheckText, checkTexts } from "./check-texts.js";
import { scaleIntervals } from "./scale-interval.js";

export interface CheckOptions extends ReadOptions {
  /** Seed of the bootstrap. Default 1. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { text: CheckText; contexts: number }) => void | Promise<void>) | undefined;
}

/** What became of one group of tokens on one text. */
export interface CheckedGroup {
  readonly before: number;
  readonly after: number;
  /** after / before, with its 95% bootstrap interval over windows. */
  readonly scale: number;
  readonly interval: Interval;
  /** The scale that the true logit bias gives, as calibrated on the fitting text. */
  readonly idealScale: number;
}

/** How the edited model differs from the original on one text; divergences in nats. */
export interface Collateral {
  readonly contexts: number;
  readonly kl: Spread;
  readonly js: Spread;
  /** Without the edited tokens, renormalised. Contexts where those have all the probability are left out. */
  readonly klOthers: Spread;
  readonly jsOthers: Spread;
  readonly top1: number;
  readonly perplexity: { readonly before: number; readonly after: number };
  /** The tokens that moved most without being asked to. */
  readonly movers: readonly Mover[];
}

/** What an edit does on one text, by group of edited tokens and to all others. */
export interface CheckedText {
  /** In the order of the edits. */
  readonly groups: readonly CheckedGroup[];
  readonly collateral: Collateral;
}

/** Per text, where one was given. */
export type EditCheck = { readonly [Text in CheckText]?: CheckedText };

/** A group of edited tokens and the logit bias that its edit is compared with. */
export type EditedGroup = Pick<SolvedGroup, "tokens" | "idealBias">;

export interface EditSubject {
  readonly original: Model;
  /** As read back from what was written: only its head is used, since the layers are the original's. */
  readonly edited: Pick<HeadModel, "head" | "name">;
  readonly groups: readonly EditedGroup[];
}

const moversShown = 10;

/**
 * Measures on each text what an edit of the head did: to the tokens edited, and to everything else. The layers run once for
 * both heads, and not at all over what is stored; of every context five float32 numbers are kept, of every window three a group.
 * @throws InputError if a text cannot be used
 */
export async function checkEdit(
  subject: EditSubject,
  texts: { readonly [Text in CheckText]?: CheckSource | undefined },
  options: CheckOptions = {},
): Promise<EditCheck> {
  const { original, edited, groups } = subject;
  const names = await tokenNames(original);
  const sources: [CheckText, CheckBatches][] = [];
  let session: EditedRowsSession | undefined;
  const result: { [Text in CheckText]?: CheckedText } = {};
  try {
    for (const text of checkTexts) {
      const source = texts[text];
      if (source !== undefined) sources.push([text, await checkBatches(original, source, options)]);
    }
    // Behind layers that take turns, which have left the memory by now.
    const heads = await headsSession(subject);
    session = heads;
    for (const [text, { batches, hiddenOf }] of sources) {
      const sums = emptySums(original.vocabSize);
      const compared = inOrder(batches, heads.concurrency, async (batch) => {
        const { part } = batch;
        return { part, divergences: await heads.run(await hiddenOf(batch), followingTokens(part)) };
      });
      for await (const { part, divergences } of compared) {
        options.signal?.throwIfAborted();
        if (firstNonFinite(divergences) >= 0) {
          throw new InputError(edited.name, "its logits or the original's are not finite; weights overflow float32");
        }
        add(sums, part, divergences, groups);
        await options.onProgress?.({ text, contexts: sums.all.contexts });
      }
      if (sums.all.contexts === 0) throw new InputError(`${text} text`, "holds no tokens");
      result[text] = checkedText(sums, groups, names, options.seed ?? 0);
    }
  } finally {
    await Promise.all([session?.release(), ...sources.map(([, batches]) => batches.release())]);
  }
  return result;
}

/** Compares the heads by the rows edited, or whole where more than these turns out to differ. */
async function headsSession({ original, edited, groups }: EditSubject): Promise<EditedRowsSession> {
  const { engine, head } = original;
  const ids = groups.flatMap(({ tokens }) => tokens);
  if (await differInRowsOnly(head, edited.head, ids)) return editedRowsSession(engine, head, edited.head, ids);
  const whole = await divergenceSession(engine, head, edited.head, ids, ids);
  return { ...whole, run: (hidden, nextTokens) => whole.run(hidden, hidden, nextTokens) };
}

function emptySums(vocabSize: number) {
  return {
    all: divergenceSums(vocabSize),
    klOthers: contextValues(),
    jsOthers: contextValues(),
    /** Probabilities summed over each window, [windows, groups]. */
    before: [] as number[],
    after: [] as number[],
    ideal: [] as number[],
  };
}
type Sums = ReturnType<typeof emptySums>;

function add(sums: Sums, part: Windows, divergences: HeadDivergences, groups: readonly EditedGroup[]): void {
  const { count, length } = part;
  sums.all.add(divergences, (t) => t % length < length - 1);
  sums.klOthers.append(divergences.others!.kl.filter(Number.isFinite));
  sums.jsOthers.append(divergences.others!.js.filter(Number.isFinite));
  for (let window = 0; window < count; window++) addWindow(sums, divergences, groups, window * length, length);
}

function addWindow(
  sums: Sums,
  { probabilityA, probabilityB }: HeadDivergences,
  groups: readonly EditedGroup[],
  start: number,
  length: number,
): void {
  const lengths = groups.map(({ tokens }) => tokens.length);
  const m = lengths.reduce((sum, tokens) => sum + tokens, 0);
  const factors = groups.map(({ idealBias }) => Math.exp(idealBias));
  const [before, after, ideal] = [0, 1, 2].map(() => new Array<number>(groups.length).fill(0)) as [
    number[],
    number[],
    number[],
  ];
  const shares = new Float64Array(groups.length);
  for (let t = start; t < start + length; t++) {
    let at = t * m;
    // A logit bias multiplies each group's odds; the normaliser is what the changes add up to.
    let normaliser = 1;
    for (let g = 0; g < groups.length; g++) {
      let share = 0;
      for (let j = 0; j < lengths[g]!; j++, at++) {
        share += probabilityA[at]!;
        after[g]! += probabilityB[at]!;
      }
      shares[g] = share;
      before[g]! += share;
      normaliser += share * (factors[g]! - 1);
    }
    for (let g = 0; g < groups.length; g++) ideal[g]! += (shares[g]! * factors[g]!) / normaliser;
  }
  sums.before.push(...before);
  sums.after.push(...after);
  sums.ideal.push(...ideal);
}

function checkedText(sums: Sums, groups: readonly EditedGroup[], names: TokenNames, seed: number): CheckedText {
  const { before, after, ideal } = sums;
  const all = sums.all.result();
  const total = (values: readonly number[], g: number) => {
    let sum = 0;
    for (let i = g; i < values.length; i += groups.length) sum += values[i]!;
    return sum;
  };
  const intervals = scaleIntervals(after, before, groups.length, seed);
  return {
    groups: intervals.map((interval, g) => ({
      before: total(before, g) / all.contexts,
      after: total(after, g) / all.contexts,
      scale: total(after, g) / total(before, g),
      interval,
      idealScale: total(ideal, g) / total(before, g),
    })),
    collateral: collateralOf(sums, all, groups, names),
  };
}

function collateralOf(
  { klOthers, jsOthers }: Sums,
  { contexts, kl, js, top1Agreement, perplexity, meanProbability }: TextDivergences,
  groups: readonly EditedGroup[],
  names: TokenNames,
): Collateral {
  const asked = new Set(groups.flatMap(({ tokens }) => tokens));
  const ids = Int32Array.from(meanProbability.a, (_, id) => id);
  return {
    contexts,
    kl,
    js,
    klOthers: spreadOrNone(klOthers),
    jsOthers: spreadOrNone(jsOthers),
    top1: top1Agreement,
    perplexity: { before: perplexity.a, after: perplexity.b },
    movers: largestMovers(
      {
        meanProbability,
        tokens: Array.from(ids, (id) => names.tokenText(id)),
        tokenIds: ids.filter((id) => !asked.has(id) && names.produces(id)),
      },
      moversShown,
    ),
  };
}

function spreadOrNone(values: ContextValues): Spread {
  if (values.values().length > 0) return values.spread();
  return { mean: Number.NaN, percentile95: Number.NaN, max: Number.NaN };
}
