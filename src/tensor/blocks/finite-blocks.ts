import { halfAt } from "./block-layout.js";
import { readBlockRows, type StoredBlocks } from "./block-tensor.js";
import { type BlockType, blockRowBytes, blockTypes } from "./block-types.js";
import { dequantise } from "./unpack-blocks.js";

/** Where a block's float16 numbers lie: weights are finite where these are. */
const halves: Record<BlockType, readonly number[]> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ4_NL: [0],
  IQ4_XS: [0],
};

/** Read at once. */
const pieceBytes = 2 ** 20;

/**
 * The first weight that is NaN or infinite, by its index among all; undefined if there is none. A weight is so where a scale or
 * offset of its block is: no others are looked at, which takes a tenth of the time.
 */
export async function findNonFiniteBlock(
  stored: StoredBlocks,
): Promise<{ index: number; value: "NaN" | "Infinity" | "-Infinity" } | undefined> {
  const { type, rows, width } = stored;
  const block = blockTypes[type];
  const rowsAtOnce = Math.max(1, Math.floor(pieceBytes / blockRowBytes(type, width)));
  for (let start = 0; start < rows; start += rowsAtOnce) {
    const bytes = await readBlockRows(stored, start, Math.min(rows, start + rowsAtOnce));
    for (let at = 0; at < bytes.length; at += block.bytes) {
      if (halves[type].every((place) => Number.isFinite(halfAt(bytes, at + place)))) continue;
      const weights = dequantise(type, bytes.subarray(at, at + block.bytes));
      const first = weights.findIndex((weight) => !Number.isFinite(weight));
      const index = start * width + (at / block.bytes) * block.weights + first;
      return { index, value: `${weights[first]!}` as "NaN" | "Infinity" | "-Infinity" };
    }
  }
  return undefined;
}
