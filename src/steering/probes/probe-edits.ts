import type { Engine } from "../../engine/engine.js";
import { createProducts } from "../../engine/products.js";
import type { Head } from "../../model/head/head.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import { transform } from "../../model/head/head-transform.js";
import { editedTokens, productValues } from "../solve/problem/edited-tokens.js";
import { fittingText, type Watched } from "../solve/problem/fitting-text.js";
import { groupSums, toShares } from "../solve/problem/shares.js";
import type { Probes } from "./probe-contexts.js";
import { unsafeAbove } from "./unsafe-probability.js";

/** Tokens of one edit, and whether it is to make them rarer. */
export interface ProbedGroup {
  readonly tokens: readonly number[];
  readonly rarer: boolean;
  /** Whether that is in few contexts only, and in all others they are to stay as likely as they were. */
  readonly inFew?: boolean | undefined;
  /** Of a ban: what each of its tokens is to stay below in every context. */
  readonly bound?: number | undefined;
}

/** What an edit does in contexts that no text holds. Probabilities are of all its tokens together. */
export interface ProbedEdit {
  readonly contexts: number;
  /** The largest probability in any of them, as the head was and as it is. */
  readonly largest: { readonly before: number; readonly after: number };
  /** Share of contexts in which it moved against its target's direction by more than 1e-4. */
  readonly opposite: number;
  /** Where it moved farthest against its target's direction, or least along it; at most five. */
  readonly worst: readonly ProbedContext[];
  /**
   * Contexts in which tokens that are to be rarer are likelier than 0.01 and than they were, or above 1e-4 and ten times as
   * likely as they were, and than the other edits alone would make them; of a ban with a bound, those in which the bound is passed.
   */
  readonly unsafe: Int32Array;
  /** Probability in every context, [contexts]. */
  readonly before: Float32Array;
  readonly after: Float32Array;
}

/** A context that no text holds, and the probability of an edit's tokens in it as the head was and as it is. */
export interface ProbedContext {
  readonly ids: readonly number[];
  readonly text: string;
  readonly before: number;
  readonly after: number;
}

/** A move of a probability that counts. */
const noticeable = 1e-4;
const listed = 5;

/**
 * Measures on probes what an edited head does with the tokens edited: the exact softmax, all tokens in it.
 * @param options.textOf the text of a context, as it is listed
 * @param edited differs from the original in the rows and biases of the groups' tokens alone
 */
export async function probeEdits(
  { original, edited, engine }: { original: Head; edited: Head; engine: Engine },
  groups: readonly ProbedGroup[],
  probes: Probes,
  { textOf = String, ...watched }: Watched & { readonly textOf?: (ids: readonly number[]) => string } = {},
): Promise<ProbedEdit[]> {
  const ids = groups.flatMap(({ tokens }) => tokens);
  const groupOf = groups.flatMap(({ tokens }, g) => tokens.map(() => g));
  const m = ids.length;
  const products = await createProducts(engine, probes.hiddenSize);
  try {
    const text = await fittingText({ head: original, engine, contexts: probes }, watched);
    const tokens = await editedTokens({ head: original, engine, contexts: probes }, text, products, ids, watched);
    const { rows, biases } = await readHeadRows(edited, ids);
    const values = productValues(text, products, rows, biases);
    const N = probes.count;
    const before = groups.map(() => new Float32Array(N));
    const after = groups.map(() => new Float32Array(N));
    const alone = groups.map(() => new Float32Array(N));
    await text.eachBlock(m, async (block, start, end) => {
      watched.signal?.throwIfAborted();
      const rest = tokens.rest.subarray(start, end);
      const n = end - start;
      const sumsOf = (raw: Float64Array) => {
        const z = raw.map((value) => transform(original.transform, value).value);
        return groupSums(toShares(z, rest), groupOf, groups.length);
      };
      const [was, is] = [sumsOf(await tokens.raw.of(block, start)), sumsOf(await values.of(block, start))];
      for (let g = 0; g < groups.length; g++) {
        before[g]!.set(was.subarray(g * n, (g + 1) * n), start);
        after[g]!.set(is.subarray(g * n, (g + 1) * n), start);
      }
      for (const [g, own] of withoutOwn(was, is, groups.length).entries()) alone[g]!.set(own, start);
    });
    return groups.map((group, g) =>
      judged(probes, { before: before[g]!, alone: alone[g]!, after: after[g]! }, group, textOf),
    );
  } finally {
    await products.release();
  }
}

/**
 * What each group would have with all edits but its own: what others lose goes to all tokens, and is no edit's own doing.
 * @param was probabilities before [G, n]  @param is after [G, n]  @returns G of [n]
 */
function withoutOwn(was: Float64Array, is: Float64Array, groups: number): Float32Array[] {
  const n = was.length / groups;
  const restOf = (sums: Float64Array, t: number) => {
    let rest = 1;
    for (let g = 0; g < groups; g++) rest -= sums[g * n + t]!;
    return Math.max(rest, Number.MIN_VALUE);
  };
  const alone = Array.from({ length: groups }, () => new Float32Array(n));
  for (let t = 0; t < n; t++) {
    const [restBefore, restAfter] = [restOf(was, t), restOf(is, t)];
    for (const [g, own] of alone.entries()) {
      const [a, b] = [was[g * n + t]!, is[g * n + t]!];
      own[t] = groups === 1 ? a : (a * restAfter) / ((1 - b) * restBefore + a * restAfter);
    }
  }
  return alone;
}

function judged(
  probes: Probes,
  { before, alone, after }: { before: Float32Array; alone: Float32Array; after: Float32Array },
  { tokens, rarer, inFew = false, bound }: ProbedGroup,
  textOf: (ids: readonly number[]) => string,
): ProbedEdit {
  const against = (i: number) => (rarer ? after[i]! - before[i]! : before[i]! - after[i]!);
  const unsafe: number[] = [];
  const largest = { before: 0, after: 0 };
  let opposite = 0;
  let worst: number[] = [];
  for (let i = 0; i < before.length; i++) {
    largest.before = Math.max(largest.before, before[i]!);
    largest.after = Math.max(largest.after, after[i]!);
    if (against(i) > noticeable) opposite++;
    const passed =
      bound === undefined
        ? rarer && after[i]! > unsafeAbove(Math.max(before[i]!, alone[i]!), inFew)
        : after[i]! > bound * tokens.length;
    if (passed) unsafe.push(i);
    if (worst.length < listed || against(i) > against(worst.at(-1)!)) {
      worst = [...worst, i].sort((a, b) => against(b) - against(a)).slice(0, listed);
    }
  }
  return {
    contexts: before.length,
    largest,
    opposite: opposite / before.length,
    worst: worst.map((i) => {
      const ids = [...probes.idsOf(i)];
      return { ids, text: textOf(ids), before: before[i]!, after: after[i]! };
    }),
    unsafe: Int32Array.from(unsafe),
    before,
    after,
  };
}
