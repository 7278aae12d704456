import type { Products } from "../../engine/products.js";
import type { Head } from "../../model/head/head.js";
import { asStored } from "../../model/head/stored-rows.js";
import type { LargestProduct } from "../../model/layers/largest-product.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { readRows } from "../../tensor/tensor-rows.js";
import type { TextBlocks } from "../solve/problem/fitting-text.js";

/** A shift of logits that is the same in every context, as far as E's number type carries it. */
export interface ExactShift {
  /** New rows as rounded, [m, d]. */
  readonly rows: Float64Array;
  /** What is taken off the logit, nats. */
  readonly shift: number;
  /** The most that a context's shift differs from that, of all contexts that were tried. */
  readonly off: number;
}

/** What is left of a token's odds where nothing says how large they can be. */
const leastShift = 40;
/** Rows that the largest logit of a token is compared with. */
const comparedRows = 256;

/**
 * What a logit must be lowered by so that its token's probability is below `bound` in every context: odds against all others
 * are at most those against any single one, and z_w - z_u = (E_w - E_u) . h + b_w - b_u is bounded.
 * @param rows E_w, [m, d]  @param others ids of tokens that stay
 */
export async function provenShift(
  head: Head,
  largestProduct: LargestProduct | undefined,
  rows: Float64Array,
  others: Int32Array,
  bound: number,
): Promise<number> {
  if (largestProduct === undefined) return leastShift;
  const d = head.hiddenSize;
  const step = Math.max(1, Math.floor(others.length / comparedRows));
  const compared = await readRows(
    head.weight,
    others.filter((_, i) => i % step === 0),
  );
  let most = 0;
  for (let j = 0; j < rows.length; j += d) {
    let least = Number.POSITIVE_INFINITY;
    for (let u = 0; u < compared.length; u += d) {
      const difference = Float64Array.from({ length: d }, (_, i) => rows[j + i]! - compared[u + i]!);
      least = Math.min(least, largestProduct(difference));
    }
    most = Math.max(most, least);
  }
  return Math.max(leastShift, most - Math.log(bound));
}

/** The rows moved along a direction with v . h = 1 in every context, and what rounding to E's number type makes of it. */
export async function shiftedRows(
  weight: TensorEntry,
  rows: Float64Array,
  direction: Float64Array,
  shift: number,
  texts: readonly TextBlocks[],
  products: Products,
): Promise<ExactShift> {
  const d = direction.length;
  const moved = rows.map((value, i) => value - shift * direction[i % d]!);
  const rounded = asStored(weight, moved);
  const change = rounded.map((value, i) => value - rows[i]!);
  const m = rows.length / d;
  let off = 0;
  for (const text of texts) {
    await text.eachBlock(m, async (block) => {
      for (const value of await products.along(block, change, m)) off = Math.max(off, Math.abs(value + shift));
    });
  }
  return { rows: rounded, shift, off };
}
