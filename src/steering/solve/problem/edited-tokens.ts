import type { Products } from "../../../engine/products.js";
import { readHeadRows } from "../../../model/head/head-rows.js";
import { transform } from "../../../model/head/head-transform.js";
import { exactRest, type FittingText, joined, type Subject, type TextBlocks, type Watched } from "./fitting-text.js";

/** Numbers of m tokens in every context. */
export interface TokenValues {
  /** Those of a block of contexts, [m, end - start], which nobody may change. */
  of(block: Float32Array, start: number): Promise<Float64Array>;
}

/** All that an edit of m rows needs to know of the head and a text. */
export interface EditedTokens {
  /** m. */
  readonly size: number;
  readonly ids: readonly number[];
  /** E_w, [m, d]. */
  readonly rows: Float64Array;
  /** b_w, [m]. */
  readonly bias: Float64Array;
  /** E_w h_t + b_w, before the head's transform. */
  readonly raw: TokenValues;
  /** ln sum exp of all other tokens' logits, [N]. */
  readonly rest: Float64Array;
}

/** Values of more numbers than this are computed again each time they are needed. */
const heldNumbers = 2 ** 23;
/** Above this share of the edited tokens, what is left of 1 has lost too many of its digits. */
const mostOfAll = 0.9;

/** @param ids the edited tokens, [m] */
export async function editedTokens(
  subject: Subject,
  text: FittingText,
  products: Products,
  ids: readonly number[],
  watched: Watched,
): Promise<EditedTokens> {
  const { head } = subject;
  const { rows, biases: bias } = await readHeadRows(head, ids);
  const raw = productValues(text, products, rows, bias);
  return { size: ids.length, ids, rows, bias, raw, rest: await restOf(subject, text, ids, raw, watched) };
}

/** The numbers of the same tokens over two texts, the second after the first. */
export function joinedTokens(
  first: Pick<EditedTokens, "raw" | "rest">,
  second: Pick<EditedTokens, "raw" | "rest">,
): Pick<EditedTokens, "raw" | "rest"> {
  const N = first.rest.length;
  return {
    rest: joined(first.rest, second.rest),
    raw: { of: (block, start) => (start < N ? first.raw.of(block, start) : second.raw.of(block, start - N)) },
  };
}

/** x_j . h_t + bias_j. @param rows x_j, [m, d]  @param bias [m] */
export function productValues(
  text: TextBlocks,
  products: Products,
  rows: Float64Array,
  bias: Float64Array,
): TokenValues {
  const m = bias.length;
  const held = m * text.count <= heldNumbers ? new Map<number, Float64Array>() : undefined;
  return {
    async of(block, start) {
      const known = held?.get(start);
      if (known) return known;
      const values = await products.along(block, rows, m);
      const n = values.length / m;
      for (let j = 0; j < m; j++) {
        if (bias[j] === 0) continue;
        for (let t = 0; t < n; t++) values[j * n + t]! += bias[j]!;
      }
      held?.set(start, values);
      return values;
    },
  };
}

/**
 * ln sum exp of the logits of all tokens but these: from the normaliser, or from that without the likeliest token where
 * it is one of these, or anew where even that would lose digits.
 */
async function restOf(
  subject: Subject,
  text: FittingText,
  ids: readonly number[],
  raw: TokenValues,
  watched: Watched,
): Promise<Float64Array> {
  const { logNormalizer, top, restOfTop } = text;
  const rest = new Float64Array(text.count);
  const lost: number[] = [];
  const place = new Map(ids.map((id, j) => [id, j]));
  await text.eachBlock(ids.length, async (block, start, end) => {
    const values = await raw.of(block, start);
    const n = end - start;
    for (let t = 0; t < n; t++) {
      const likeliest = place.get(top[start + t]!);
      const normalizer = likeliest === undefined ? logNormalizer[start + t]! : restOfTop[start + t]!;
      let share = 0;
      for (let j = 0; j < ids.length; j++) {
        if (j !== likeliest) {
          share += Math.exp(transform(subject.head.transform, values[j * n + t]!).value - normalizer);
        }
      }
      if (share < mostOfAll) rest[start + t] = normalizer + Math.log1p(-share);
      else lost.push(start + t);
    }
  });
  if (lost.length > 0) {
    const exact = await exactRest(subject, ids, lost, watched);
    for (const [i, t] of lost.entries()) rest[t] = exact[i]!;
  }
  return rest;
}
