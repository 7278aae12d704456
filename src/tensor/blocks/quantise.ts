import { encodeFloat16 } from "../dtype.js";
import { halfAt } from "./block-layout.js";
import { type BlockType, blockTypes } from "./block-types.js";
import { bestOffsetScale, bestScale, nearestIq4 } from "./group-scales.js";
import { setCodes } from "./set-codes.js";
import { codeRange, groupsOf, unpackBlocks } from "./unpack-blocks.js";

const round = Math.fround;

/**
 * Weights as blocks. Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 are ggml's own bytes; in the others scales are those of least squares,
 * found anew.
 * @param weights of whole blocks
 */
export function quantise(type: BlockType, weights: Float32Array): Uint8Array<ArrayBuffer> {
  const block = blockTypes[type];
  const count = weights.length / block.weights;
  if (!Number.isInteger(count)) throw new RangeError(`${weights.length} weights are no whole blocks of ${type}`);
  const bytes = new Uint8Array(count * block.bytes);
  for (let b = 0; b < count; b++) {
    const own = weights.subarray(b * block.weights, (b + 1) * block.weights);
    quantisers[type](own, bytes.subarray(b * block.bytes, (b + 1) * block.bytes));
  }
  return bytes;
}

type Quantiser = (weights: Float32Array, block: Uint8Array) => void;

function setHalf(block: Uint8Array, at: number, value: number): void {
  const half = encodeFloat16(Float32Array.of(value))[0]!;
  block[at] = half & 255;
  block[at + 1] = half >> 8;
}

/** The weight furthest from 0, the first of them. */
function furthest(weights: Float32Array): number {
  let most = 0;
  for (const weight of weights) if (Math.abs(weight) > Math.abs(most)) most = weight;
  return most;
}

/** Codes from -half on, whose lowest stands for the weight furthest from 0. */
const symmetric =
  (type: BlockType, half: number): Quantiser =>
  (weights, block) => {
    const d = round(furthest(weights) / -half);
    const inverse = d === 0 ? 0 : round(1 / d);
    const codes = Int8Array.from(
      weights,
      (weight) => Math.min(2 * half - 1, Math.trunc(round(round(weight * inverse) + round(half + 0.5)))) - half,
    );
    setHalf(block, 0, d);
    setCodes(type, block, codes);
  };

/** Codes from 0 on, from the lowest weight to the highest. */
const fromLowest =
  (type: BlockType, most: number): Quantiser =>
  (weights, block) => {
    const lowest = weights.reduce((least, weight) => Math.min(least, weight), Number.POSITIVE_INFINITY);
    const highest = weights.reduce((most, weight) => Math.max(most, weight), Number.NEGATIVE_INFINITY);
    const d = round(round(highest - lowest) / most);
    const inverse = d === 0 ? 0 : round(1 / d);
    const codes = Int8Array.from(weights, (weight) =>
      Math.min(most, Math.trunc(round(round(round(weight - lowest) * inverse) + 0.5))),
    );
    setHalf(block, 0, d);
    setHalf(block, 2, lowest);
    setCodes(type, block, codes);
  };

/** The codes nearest to the weights, with the scales and offsets that the block has. */
function nearestCodes(type: BlockType, weights: Float32Array, block: Uint8Array): Int8Array {
  const { least, most } = codeRange(type);
  const { scales, offsets, group } = unpackBlocks(type, block);
  const isIq4 = type === "IQ4_NL" || type === "IQ4_XS";
  return Int8Array.from(weights, (weight, i) => {
    const g = Math.floor(i / group);
    const scale = scales[g]!;
    if (scale === 0) return isIq4 ? 1 : 0;
    const code = (weight + (offsets?.[g] ?? 0)) / scale;
    return isIq4 ? nearestIq4(code) : Math.min(most, Math.max(least, Math.round(code)));
  });
}

/** A scale for each group, which is a whole number times the block's. @param lowest of these whole numbers */
const scaledGroups =
  (
    type: BlockType,
    { at, lowest, highest }: { at: number; lowest: number; highest: number },
    put: (block: Uint8Array, g: number, scale: number) => void,
  ): Quantiser =>
  (weights, block) => {
    const { group } = groupsOf(type);
    const groups = weights.length / group;
    const scales = Float64Array.from({ length: groups }, (_, g) =>
      bestScale(weights.subarray(g * group, (g + 1) * group), type),
    );
    const most = furthest(Float32Array.from(scales));
    setHalf(block, at, most / lowest);
    const d = halfAt(block, at);
    for (const [g, scale] of scales.entries()) {
      put(block, g, d === 0 ? 0 : Math.min(highest, Math.max(lowest, Math.round(scale / d))));
    }
    setCodes(type, block, nearestCodes(type, weights, block));
  };

/** A scale and an offset for each group, which are whole numbers times the block's two. @param most of these whole numbers */
const scaledAndOffsetGroups =
  (
    type: BlockType,
    { at, most }: { at: number; most: number },
    put: (block: Uint8Array, g: number, scale: number, offset: number) => void,
  ): Quantiser =>
  (weights, block) => {
    const { group } = groupsOf(type);
    const groups = weights.length / group;
    const found = Array.from({ length: groups }, (_, g) =>
      bestOffsetScale(weights.subarray(g * group, (g + 1) * group), codeRange(type).most),
    );
    setHalf(block, at, Math.max(...found.map(({ scale }) => scale)) / most);
    setHalf(block, at + 2, Math.max(...found.map(({ offset }) => offset)) / most);
    const [d, dOffset] = [halfAt(block, at), halfAt(block, at + 2)];
    const whole = (value: number, unit: number) => (unit === 0 ? 0 : Math.min(most, Math.round(value / unit)));
    for (const [g, { scale, offset }] of found.entries()) put(block, g, whole(scale, d), whole(offset, dOffset));
    setCodes(type, block, nearestCodes(type, weights, block));
  };

/** Six bits of scale and offset g of eight, in the 12 bytes from 4 on, which are zeros before. */
function putSixBits(block: Uint8Array, g: number, scale: number, offset: number): void {
  if (g < 4) {
    block[4 + g]! |= scale;
    block[8 + g]! |= offset;
    return;
  }
  block[8 + g] = (scale & 15) | ((offset & 15) << 4);
  block[g]! |= (scale >> 4) << 6;
  block[4 + g]! |= (offset >> 4) << 6;
}

const quantisers: Record<BlockType, Quantiser> = {
  Q4_0: symmetric("Q4_0", 8),
  Q5_0: symmetric("Q5_0", 16),
  Q4_1: fromLowest("Q4_1", 15),
  Q5_1: fromLowest("Q5_1", 31),
  Q8_0(weights, block) {
    const d = round(Math.abs(furthest(weights)) / 127);
    const inverse = d === 0 ? 0 : round(1 / d);
    setHalf(block, 0, d);
    const codes = Int8Array.from(weights, (weight) => {
      const code = round(weight * inverse);
      return Math.sign(code) * Math.floor(Math.abs(code) + 0.5);
    });
    setCodes("Q8_0", block, codes);
  },
  IQ4_NL(weights, block) {
    setHalf(block, 0, bestScale(weights, "IQ4_NL"));
    setCodes("IQ4_NL", block, nearestCodes("IQ4_NL", weights, block));
  },
  IQ4_XS: scaledGroups("IQ4_XS", { at: 0, lowest: -32, highest: 31 }, (block, g, scale) => {
    const code = scale + 32;
    block[4 + (g >> 1)]! |= (code & 15) << (4 * (g & 1));
    block[2 + (g >> 2)]! |= (code >> 4) << (2 * (g & 3));
  }),
  Q2_K: scaledAndOffsetGroups("Q2_K", { at: 80, most: 15 }, (block, g, scale, offset) => {
    block[g] = scale | (offset << 4);
  }),
  Q3_K: scaledGroups("Q3_K", { at: 108, lowest: -32, highest: 31 }, (block, g, scale) => {
    const code = scale + 32;
    block[96 + (g & 7)]! |= (code & 15) << (g < 8 ? 0 : 4);
    block[104 + (g & 3)]! |= (code >> 4) << (2 * (g >> 2));
  }),
  Q4_K: scaledAndOffsetGroups("Q4_K", { at: 0, most: 63 }, putSixBits),
  Q5_K: scaledAndOffsetGroups("Q5_K", { at: 0, most: 63 }, putSixBits),
  Q6_K: scaledGroups("Q6_K", { at: 208, lowest: -128, highest: 127 }, (block, g, scale) => {
    block[192 + g] = scale & 255;
  }),
};
