import type { Products } from "../../engine/products.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { transform } from "../../model/head/head-transform.js";
import type { CheckText } from "../check/check-texts.js";
import { scaleIntervals } from "../check/scale-interval.js";
import { type EditedTokens, editedTokens } from "../solve/problem/edited-tokens.js";
import { type FittingText, fittingText, type Subject, type Watched } from "../solve/problem/fitting-text.js";
import type { TrialEffect } from "./trial.js";

/** A text that the effect of edits can be computed on without the model's layers. */
export interface TrialText {
  readonly text: CheckText;
  readonly subject: Subject<StoredContexts>;
  readonly fitting: FittingText;
  readonly products: Products;
}

/** One pass of the head over the text. */
export async function openTrialText(
  text: CheckText,
  subject: Subject<StoredContexts>,
  products: Products,
  watched: Watched = {},
): Promise<TrialText> {
  return { text, subject, fitting: await fittingText(subject, watched), products };
}

/** The numbers of a group's tokens before any edit: the same for all edits of it. @param ids its tokens */
export function trialTokens({ subject, fitting, products }: TrialText, ids: readonly number[]): Promise<EditedTokens> {
  return editedTokens(subject, fitting, products, ids, {});
}

/** An edit of one group's rows alone, and the logit bias that it is compared with. */
export interface TrialEdit {
  /** The change of the rows of its tokens, [m, d]. */
  readonly changes: Float64Array;
  readonly idealBias: number;
}

/**
 * What an edit does on a text, exactly: all tokens but the edited ones keep their proportions in every context, so that the
 * whole change is one of a distribution over the edited tokens and the rest (METHOD.md section 3).
 */
export async function effectOf(
  { subject, fitting, products }: TrialText,
  { size: m, raw, rest }: EditedTokens,
  { changes, idealBias }: TrialEdit,
  seed: number,
): Promise<TrialEffect> {
  const { count, windowStarts } = subject.contexts;
  const change = subject.head.transform;
  const [p, q, r] = [new Float64Array(m + 1), new Float64Array(m + 1), new Float64Array(m + 1)];
  const total = { ideal: 0, kl: 0, klOfIdeal: 0, klToIdeal: 0, js: 0 };
  const windows = windowStarts.length - 1;
  const [before, after] = [new Float64Array(windows), new Float64Array(windows)];
  let window = 0;
  await fitting.eachBlock(m, async (block, start, end) => {
    const n = end - start;
    const z = await raw.of(block, start);
    const along = await products.along(block, changes, m);
    for (let t = 0; t < n; t++) {
      for (let j = 0; j < m; j++) {
        const at = z[j * n + t]!;
        p[j] = transform(change, at).value;
        q[j] = p[j]! + idealBias;
        r[j] = transform(change, at + along[j * n + t]!).value;
      }
      p[m] = q[m] = r[m] = rest[start + t]!;
      if (start + t >= windowStarts[window + 1]!) window++;
      before[window]! += softmaxLogs(p);
      total.ideal += softmaxLogs(q);
      after[window]! += softmaxLogs(r);
      total.kl += divergence(p, r);
      total.klOfIdeal += divergence(p, q);
      total.klToIdeal += divergence(q, r);
      total.js += jensenShannon(p, r);
    }
  });
  const [interval] = scaleIntervals(after, before, 1, seed);
  const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0);
  const [sumBefore, sumAfter] = [sum(before), sum(after)];
  return {
    before: sumBefore / count,
    after: sumAfter / count,
    scale: sumAfter / sumBefore,
    interval: interval!,
    idealScale: total.ideal / sumBefore,
    kl: total.kl / count,
    klOfIdeal: total.klOfIdeal / count,
    klToIdeal: total.klToIdeal / count,
    js: total.js / count,
  };
}

/** Logits to logarithms of probabilities, in place. @returns the probability of all but the last */
function softmaxLogs(z: Float64Array): number {
  const last = z.length - 1;
  let largest = z[last]!;
  for (let j = 0; j < last; j++) largest = Math.max(largest, z[j]!);
  let group = 0;
  for (let j = 0; j < last; j++) group += Math.exp(z[j]! - largest);
  const rest = Math.exp(z[last]! - largest);
  const normaliser = largest + Math.log(group + rest);
  for (let j = 0; j <= last; j++) z[j]! -= normaliser;
  return group / (group + rest);
}

/** KL(p || q) from logarithms. Terms p - q that cancel in the sum keep it right where both are nearly equal. */
function divergence(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) sum += excess(p[j]!, q[j]!);
  return sum;
}

/** a (ln a - ln b) - a + b of a, b given as logarithms: never below 0. */
function excess(lnA: number, lnB: number): number {
  const a = Math.exp(lnA);
  return a === 0 ? Math.exp(lnB) : a * (Math.expm1(lnB - lnA) - (lnB - lnA));
}

function jensenShannon(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    const largest = Math.max(p[j]!, q[j]!);
    const middle = largest + Math.log((1 + Math.exp(-Math.abs(p[j]! - q[j]!))) / 2);
    sum += (excess(p[j]!, middle) + excess(q[j]!, middle)) / 2;
  }
  return sum;
}
