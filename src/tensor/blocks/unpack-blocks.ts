import { type BlockLayout, halfAt } from "./block-layout.js";
import { type BlockType, blockTypes } from "./block-types.js";
import { iq4Values } from "./iq4-values.js";
import { kQuants } from "./k-quants.js";

/** Weights as whole numbers: weight i is scale * code - offset, of the group of weights that it is in. */
export interface UnpackedBlocks {
  /** [n] */
  readonly codes: Int8Array<ArrayBuffer>;
  /** Weights that share a scale: 16 or 32. */
  readonly group: number;
  /** [n / group] */
  readonly scales: Float32Array<ArrayBuffer>;
  /** [n / group], where the type has offsets. */
  readonly offsets: Float32Array<ArrayBuffer> | undefined;
}

/** Both nibbles of 16 bytes: low ones are weights 0 to 15, high ones 16 to 31. */
function nibbles(bytes: Uint8Array, start: number, codes: Int8Array, code: number, value: (nibble: number) => number) {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[start + i]!;
    codes[code + i] = value(byte & 15);
    codes[code + 16 + i] = value(byte >> 4);
  }
}

/** The same with a fifth bit for each weight, in 32 bits before the nibbles. */
function fiveBits(bytes: Uint8Array, start: number, codes: Int8Array, code: number, less: number) {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[start + 4 + i]!;
    const low = (bytes[start + (i >> 3)]! >> (i & 7)) & 1;
    const high = (bytes[start + 2 + (i >> 3)]! >> (i & 7)) & 1;
    codes[code + i] = (byte & 15) + 16 * low - less;
    codes[code + 16 + i] = (byte >> 4) + 16 * high - less;
  }
}

const layouts: Record<BlockType, BlockLayout> = {
  Q4_0: {
    group: 32,
    hasOffsets: false,
    unpack(bytes, start, { codes, scales }, code, at) {
      scales[at] = halfAt(bytes, start);
      nibbles(bytes, start + 2, codes, code, (nibble) => nibble - 8);
    },
  },
  Q4_1: {
    group: 32,
    hasOffsets: true,
    unpack(bytes, start, { codes, scales, offsets }, code, at) {
      scales[at] = halfAt(bytes, start);
      offsets[at] = -halfAt(bytes, start + 2);
      nibbles(bytes, start + 4, codes, code, (nibble) => nibble);
    },
  },
  Q5_0: {
    group: 32,
    hasOffsets: false,
    unpack(bytes, start, { codes, scales }, code, at) {
      scales[at] = halfAt(bytes, start);
      fiveBits(bytes, start + 2, codes, code, 16);
    },
  },
  Q5_1: {
    group: 32,
    hasOffsets: true,
    unpack(bytes, start, { codes, scales, offsets }, code, at) {
      scales[at] = halfAt(bytes, start);
      offsets[at] = -halfAt(bytes, start + 2);
      fiveBits(bytes, start + 4, codes, code, 0);
    },
  },
  Q8_0: {
    group: 32,
    hasOffsets: false,
    unpack(bytes, start, { codes, scales }, code, at) {
      scales[at] = halfAt(bytes, start);
      codes.set(new Int8Array(bytes.buffer, bytes.byteOffset + start + 2, 32), code);
    },
  },
  IQ4_NL: {
    group: 32,
    hasOffsets: false,
    unpack(bytes, start, { codes, scales }, code, at) {
      scales[at] = halfAt(bytes, start);
      nibbles(bytes, start + 2, codes, code, (nibble) => iq4Values[nibble]!);
    },
  },
  IQ4_XS: {
    group: 32,
    hasOffsets: false,
    unpack(bytes, start, { codes, scales }, code, at) {
      const d = halfAt(bytes, start);
      const high = bytes[start + 2]! | (bytes[start + 3]! << 8);
      for (let ib = 0; ib < 8; ib++) {
        const low = (bytes[start + 4 + (ib >> 1)]! >> (4 * (ib & 1))) & 15;
        scales[at + ib] = d * ((low | (((high >> (2 * ib)) & 3) << 4)) - 32);
        nibbles(bytes, start + 8 + 16 * ib, codes, code + 32 * ib, (nibble) => iq4Values[nibble]!);
      }
    },
  },
  ...kQuants,
};

const codeRanges: Record<BlockType, { least: number; most: number }> = {
  Q4_0: { least: -8, most: 7 },
  Q4_1: { least: 0, most: 15 },
  Q5_0: { least: -16, most: 15 },
  Q5_1: { least: 0, most: 31 },
  Q8_0: { least: -128, most: 127 },
  Q2_K: { least: 0, most: 3 },
  Q3_K: { least: -4, most: 3 },
  Q4_K: { least: 0, most: 15 },
  Q5_K: { least: 0, most: 31 },
  Q6_K: { least: -32, most: 31 },
  IQ4_NL: { least: -127, most: 113 },
  IQ4_XS: { least: -127, most: 113 },
};

/** The whole numbers that a type's weights are made of. */
export function codeRange(type: BlockType): { readonly least: number; readonly most: number } {
  return codeRanges[type];
}

/** Weights that share a scale, and whether they share an offset. */
export function groupsOf(type: BlockType): Pick<BlockLayout, "group" | "hasOffsets"> {
  return layouts[type];
}

/** Takes whole blocks apart. @param bytes of blocks of that type, one after the other */
export function unpackBlocks(type: BlockType, bytes: Uint8Array): UnpackedBlocks {
  const { weights, bytes: blockBytes } = blockTypes[type];
  const { group, hasOffsets, unpack } = layouts[type];
  const blocks = bytes.length / blockBytes;
  if (!Number.isInteger(blocks)) throw new RangeError(`${bytes.length} bytes are no whole blocks of ${type}`);
  const codes = new Int8Array(blocks * weights);
  const scales = new Float32Array(codes.length / group);
  const offsets = new Float32Array(hasOffsets ? scales.length : 0);
  const out = { codes, scales, offsets };
  const groups = weights / group;
  for (let b = 0; b < blocks; b++) unpack(bytes, b * blockBytes, out, b * weights, b * groups);
  return { codes, group, scales, offsets: hasOffsets ? offsets : undefined };
}

/** The weights of whole blocks, to the bit as ggml makes them: every step rounded to float32. */
export function dequantise(type: BlockType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { codes, group, scales, offsets } = unpackBlocks(type, bytes);
  const weights = new Float32Array(codes.length);
  for (let g = 0; g < scales.length; g++) {
    const scale = scales[g]!;
    const end = (g + 1) * group;
    if (offsets === undefined) for (let i = g * group; i < end; i++) weights[i] = scale * codes[i]!;
    else {
      const offset = offsets[g]!;
      for (let i = g * group; i < end; i++) weights[i] = Math.fround(scale * codes[i]!) - offset;
    }
  }
  return weights;
}
