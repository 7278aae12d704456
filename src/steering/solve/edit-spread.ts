import { dimensionsFor, fallingOrder } from "../../encoding/sparsity/saliency.js";
import type { Head } from "../../model/head/head.js";
import { readRows } from "../../tensor/tensor-rows.js";
import type { Solution } from "./solution.js";

/** How an edit lies on the dimensions of E, by Omega_i: dimension i's share of the squared change of all edited rows. */
export interface EditSpread {
  /** 1 / sum_i Omega_i^2: d where all dimensions bear alike, 1 where one bears all. */
  readonly effectiveDimensions: number;
  /** How many dimensions, the largest first, hold 50, 80, 90 and 95% of it. */
  readonly dimensionsFor: Record<50 | 80 | 90 | 95, number>;
  /** The dimensions that bear most, and their Omega_i. */
  readonly largest: readonly { readonly dimension: number; readonly share: number }[];
}

const listed = 10;

/** @param rows the new rows of E  @returns undefined where they are the old ones */
export async function editSpread(
  { weight, hiddenSize: d }: Head,
  { ids, values }: Solution["rows"],
): Promise<EditSpread | undefined> {
  const squares = new Float64Array(d);
  for (const [j, id] of ids.entries()) {
    const original = await readRows(weight, [id]);
    for (let i = 0; i < d; i++) squares[i]! += (values[j * d + i]! - original[i]!) ** 2;
  }
  return spreadOf(squares);
}

/** @param squares squared change by dimension, [d] */
export function spreadOf(squares: Float64Array): EditSpread | undefined {
  const total = squares.reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return undefined;
  const shares = squares.map((value) => value / total);
  return {
    effectiveDimensions: 1 / shares.reduce((sum, share) => sum + share * share, 0),
    dimensionsFor: dimensionsFor(shares),
    largest: Array.from(fallingOrder(shares).subarray(0, listed), (dimension) => ({
      dimension,
      share: shares[dimension]!,
    })),
  };
}
