import type { Engine } from "../../engine/engine.js";
import { createProducts, type Products } from "../../engine/products.js";
import type { ContextRows } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import { isIdentity } from "../../model/head/head-transform.js";
import { asStored } from "../../model/head/stored-rows.js";
import type { LargestProduct } from "../../model/layers/largest-product.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { readRows } from "../../tensor/tensor-rows.js";
import { editedTokens } from "../solve/problem/edited-tokens.js";
import {
  type FittingText,
  fittingText,
  joined,
  joinedTexts,
  type TextBlocks,
  type Watched,
} from "../solve/problem/fitting-text.js";
import { bestCombination, type Combination } from "./convex-combination.js";

/** What a ban knows of the model. */
export interface BanSubject {
  readonly head: Head;
  readonly engine: Engine;
  /** The most that a product with a hidden state can be; undefined where nothing bounds it. */
  readonly largestProduct: LargestProduct | undefined;
}

/** Contexts that a ban is fitted to, and how much all of each kind count together. */
export interface WeightedContexts {
  readonly contexts: ContextRows;
  readonly weight: number;
}

/** One row for all tokens that are banned: what makes one of them unlikely everywhere makes each of them so. */
export interface BanRow {
  /** As rounded to E's number type, [d]. */
  readonly row: Float64Array;
  readonly bias: number;
  /** The probability of each banned token is at most this. */
  readonly bound: number;
  /** Whether the bound holds in every context, rounding included; else it is that of the contexts that were seen. */
  readonly proven: boolean;
  readonly entropy: number;
}

/** Rows of E that are combined at most: of larger vocabularies an even sample, so that E itself need not be held. */
const mostRows = 32_768;
/** Of these, read as float64 before they are narrowed. */
const rowsAtOnce = 1024;
/** Room in the bound for rounding, of its logarithm: at first. */
const firstRoom = 0.02;

/**
 * The convex combination of other tokens' rows that has the smallest mean odds over some contexts, and at most `bound` in any
 * (METHOD.md, "Bans").
 * @param banned ids, none of which may be combined  @param others ids whose rows may be, ascending
 * @throws RangeError if so few rows cannot keep the bound
 */
export async function banRow(
  subject: BanSubject,
  banned: readonly number[],
  others: Int32Array,
  fitted: readonly WeightedContexts[],
  bound: number,
  watched: Watched = {},
): Promise<BanRow> {
  const { head, engine } = subject;
  const products = await createProducts(engine, head.hiddenSize);
  try {
    const problem = await posed(subject, banned, evenly(others), fitted, products, watched);
    const rounded = ({ row }: Combination) => asStored(head.weight, row);
    let room = firstRoom;
    for (;;) {
      const found = await bestCombination(problem, room - Math.log(bound));
      const row = rounded(found);
      const off = await roundingOf(
        subject,
        problem.text,
        products,
        row.map((value, i) => value - found.row[i]!),
      );
      if (off <= room + (found.entropy - (room - Math.log(bound)))) {
        return {
          row,
          bias: found.bias,
          bound: Math.exp(off - found.entropy),
          proven: subject.largestProduct !== undefined && isIdentityUpToScale(head),
          entropy: found.entropy,
        };
      }
      room = 1.5 * off;
    }
  } finally {
    await products.release();
  }
}

/** A soft cap bends the geometric mean, so that nothing is proven of it. */
const isIdentityUpToScale = ({ transform: { softCap } }: Head): boolean => isIdentity({ softCap });

/** How much rounding can add to a logit: in every context, or in those that are there. */
async function roundingOf(
  { head, largestProduct }: BanSubject,
  text: TextBlocks,
  products: Products,
  delta: Float64Array,
): Promise<number> {
  const scale = head.transform.scale ?? 1;
  if (largestProduct !== undefined) return scale * largestProduct(delta);
  let largest = 0;
  await text.eachBlock(1, async (block) => {
    for (const value of await products.along(block, delta, 1)) largest = Math.max(largest, Math.abs(value));
  });
  return scale * largest;
}

async function posed(
  { head, engine }: BanSubject,
  banned: readonly number[],
  others: Int32Array,
  fitted: readonly WeightedContexts[],
  products: Products,
  watched: Watched,
) {
  const total = fitted.reduce((sum, { weight }) => sum + weight, 0);
  let text: TextBlocks | undefined;
  let rest: Float64Array = new Float64Array(0);
  let contextWeights: Float64Array = new Float64Array(0);
  for (const { contexts, weight } of fitted) {
    const subject = { head, engine, contexts };
    const part: FittingText = await fittingText(subject, watched);
    const tokens = await editedTokens(subject, part, products, banned, watched);
    text = text === undefined ? part : joinedTexts(text, part);
    rest = joined(rest, tokens.rest);
    contextWeights = joined(contextWeights, new Float64Array(part.count).fill(weight / total / part.count));
  }
  const { rows, biases } = await combined(head, others);
  return {
    text: text!,
    products,
    transform: head.transform,
    rest,
    contextWeights,
    rows,
    biases,
    signal: watched.signal,
  };
}

/** Rows of E and biases. @returns float32 [n, d] and [n] */
async function combined({ weight, bias, hiddenSize: d }: Head, ids: Int32Array) {
  const all = bias && (await readTensorFloat64(bias));
  const rows = new Float32Array(ids.length * d);
  for (let start = 0; start < ids.length; start += rowsAtOnce) {
    rows.set(await readRows(weight, ids.subarray(start, start + rowsAtOnce)), start * d);
  }
  return { rows, biases: Float64Array.from(ids, (id) => all?.[id] ?? 0) };
}

function evenly(ids: Int32Array): Int32Array {
  if (ids.length <= mostRows) return ids;
  return Int32Array.from({ length: mostRows }, (_, i) => ids[Math.floor((i * ids.length) / mostRows)]!);
}
