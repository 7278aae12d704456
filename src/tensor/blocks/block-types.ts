/**
 * Number types that store a block of weights as small whole numbers with a scale (and an offset) of its own, by ggml's names:
 * what one block holds and how many bytes it takes (https://github.com/ggml-org/llama.cpp/wiki/Tensor-Encoding-Schemes).
 */
export const blockTypes = {
  Q4_0: { id: 2, weights: 32, bytes: 18 },
  Q4_1: { id: 3, weights: 32, bytes: 20 },
  Q5_0: { id: 6, weights: 32, bytes: 22 },
  Q5_1: { id: 7, weights: 32, bytes: 24 },
  Q8_0: { id: 8, weights: 32, bytes: 34 },
  Q2_K: { id: 10, weights: 256, bytes: 84 },
  Q3_K: { id: 11, weights: 256, bytes: 110 },
  Q4_K: { id: 12, weights: 256, bytes: 144 },
  Q5_K: { id: 13, weights: 256, bytes: 176 },
  Q6_K: { id: 14, weights: 256, bytes: 210 },
  IQ4_NL: { id: 20, weights: 32, bytes: 18 },
  IQ4_XS: { id: 23, weights: 256, bytes: 136 },
} as const;

export type BlockType = keyof typeof blockTypes;

export const blockTypeNames = Object.keys(blockTypes) as BlockType[];

/** Bytes of a row of that many weights. @throws RangeError if blocks do not fill it */
export function blockRowBytes(type: BlockType, weights: number): number {
  const block = blockTypes[type];
  if (weights % block.weights !== 0) throw new RangeError(`${weights} weights are no whole blocks of ${type}`);
  return (weights / block.weights) * block.bytes;
}
