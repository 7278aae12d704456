import { isInContext } from "../../steering/plan/word-edits.js";
import type { ProbedEdit } from "../../steering/probes/probe-edits.js";
import type { WrittenEdit } from "../../steering/steering-run.js";
import { packFloat32 } from "../page/packed-numbers.js";
import { visibleText, visibleToken } from "../page/visible-text.js";
import { selectorOf } from "./steering-texts.js";

/** Edits that the figure can show, and contexts of each: of more, those that stand out and an even sample of the others. */
export const figureEdits = 24;
export const figureContexts = 1000;
/** Of those that stand out, of each kind. */
const outstanding = 100;
const contextCharacters = 60;

/** What the figure of one edit's probes is drawn from. */
export interface ProbedPoints {
  name: string;
  /** Packed float32: probability of the edit's tokens in each context that is shown, before and after. */
  before: string;
  after: string;
  /** Whether they are to be rarer, and of a ban what all of them together are to stay below. */
  rarer: boolean;
  bound: number | undefined;
  /** Whether that is in the contexts of a word only. */
  inFew: boolean;
  /** The logit bias that the edit comes near; of a word there is none that holds in all contexts. */
  idealBias: number | undefined;
  worst: { text: string; before: number; after: number }[];
}

export function probedPoints({ plan, solution, probed }: WrittenEdit): ProbedPoints[] {
  return plan.edits.slice(0, figureEdits).map((edit, g) => {
    const { tokens, label } = edit;
    const inFew = isInContext(edit);
    const { probability, bound, idealBias } = solution.groups[g]!;
    const { before, after, worst } = probed[g]!;
    const shown = contextsToShow(probed[g]!, figureContexts);
    return {
      name: tokens.length === 1 ? visibleToken(tokens[0]!.text) : visibleText(selectorOf(label)),
      before: packFloat32(shown.map((i) => before[i]!)),
      after: packFloat32(shown.map((i) => after[i]!)),
      rarer: probability.wanted < probability.before,
      bound: bound && bound.probability * tokens.length,
      inFew,
      idealBias: inFew ? undefined : idealBias,
      worst: worst.map(({ text, ...moved }) => ({ text: visibleText(text, contextCharacters), ...moved })),
    };
  });
}

/** The likeliest before and after, those that rose and fell by the largest factors, and of the others an even sample. */
export function contextsToShow({ before, after }: Pick<ProbedEdit, "before" | "after">, most: number): number[] {
  const all = Array.from(before.keys());
  if (all.length <= most) return all;
  const by = (value: (i: number) => number) => [...all].sort((a, b) => value(b) - value(a));
  const floor = Number.MIN_VALUE;
  const rise = (i: number) => Math.log(Math.max(after[i]!, floor) / Math.max(before[i]!, floor));
  const byBefore = by((i) => before[i]!);
  const byRise = by(rise);
  const kept = new Set(
    [byBefore, by((i) => after[i]!), byRise, byRise.reverse()].flatMap((order) => order.slice(0, outstanding)),
  );
  const others = byBefore.filter((i) => !kept.has(i));
  const room = most - kept.size;
  for (let k = 0; k < room; k++) kept.add(others[Math.floor((k * others.length) / room)]!);
  return [...kept].sort((a, b) => a - b);
}
