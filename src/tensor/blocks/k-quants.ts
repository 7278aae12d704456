import { type BlockLayout, halfAt } from "./block-layout.js";

/**
 * ggml's "k-quants": blocks of 256 weights in groups of 16 or 32, whose scales are themselves whole numbers with a scale
 * (https://github.com/ggml-org/llama.cpp/pull/1684).
 */
export const kQuants = {
  Q2_K: {
    group: 16,
    hasOffsets: true,
    unpack(bytes, start, { codes, scales, offsets }, code, at) {
      const d = halfAt(bytes, start + 80);
      const dmin = halfAt(bytes, start + 82);
      for (let g = 0; g < 16; g++) {
        const byte = bytes[start + g]!;
        scales[at + g] = d * (byte & 15);
        offsets[at + g] = dmin * (byte >> 4);
      }
      twoBits(bytes, start + 16, codes, code);
    },
  },
  Q3_K: {
    group: 16,
    hasOffsets: false,
    unpack(bytes, start, { codes, scales }, code, at) {
      const d = halfAt(bytes, start + 108);
      for (let g = 0; g < 16; g++) scales[at + g] = d * (q3Scale(bytes, start + 96, g) - 32);
      twoBits(bytes, start + 32, codes, code);
      for (let i = 0; i < 256; i++) {
        // A set bit means that nothing is taken off.
        if (((bytes[start + (i & 31)]! >> (i >> 5)) & 1) === 0) codes[code + i]! -= 4;
      }
    },
  },
  Q4_K: {
    group: 32,
    hasOffsets: true,
    unpack(bytes, start, { codes, scales, offsets }, code, at) {
      scalesAndOffsets(bytes, start, scales, offsets, at);
      fourBits(bytes, start + 16, codes, code);
    },
  },
  Q5_K: {
    group: 32,
    hasOffsets: true,
    unpack(bytes, start, { codes, scales, offsets }, code, at) {
      scalesAndOffsets(bytes, start, scales, offsets, at);
      fourBits(bytes, start + 48, codes, code);
      for (let i = 0; i < 256; i++) codes[code + i]! += ((bytes[start + 16 + (i & 31)]! >> (i >> 5)) & 1) << 4;
    },
  },
  Q6_K: {
    group: 16,
    hasOffsets: false,
    unpack(bytes, start, { codes, scales }, code, at) {
      const d = halfAt(bytes, start + 208);
      for (let g = 0; g < 16; g++) scales[at + g] = d * ((bytes[start + 192 + g]! << 24) >> 24);
      for (let i = 0; i < 256; i++) {
        const inHalf = i & 127;
        const low = bytes[start + (i >> 7) * 64 + (inHalf & 63)]! >> (inHalf < 64 ? 0 : 4);
        const high = bytes[start + 128 + (i >> 7) * 32 + (i & 31)]! >> (2 * (inHalf >> 5));
        codes[code + i] = ((low & 15) | ((high & 3) << 4)) - 32;
      }
    },
  },
} satisfies Record<string, BlockLayout>;

/** 64 bytes of two bits a weight: each 32 bytes hold 128 weights, lowest bits first. */
function twoBits(bytes: Uint8Array, start: number, codes: Int8Array, code: number): void {
  for (let i = 0; i < 256; i++) {
    codes[code + i] = (bytes[start + (i >> 7) * 32 + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
  }
}

/** 128 bytes of four bits a weight: each 32 bytes hold 64 weights, low nibbles first. */
function fourBits(bytes: Uint8Array, start: number, codes: Int8Array, code: number): void {
  for (let i = 0; i < 256; i++)
    codes[code + i] = (bytes[start + (i >> 6) * 32 + (i & 31)]! >> (4 * ((i >> 5) & 1))) & 15;
}

/** Six bits of each of 16 scales in 12 bytes: low nibbles in the first eight, upper two bits in the last four. */
function q3Scale(bytes: Uint8Array, start: number, g: number): number {
  const low = (bytes[start + (g & 7)]! >> (g < 8 ? 0 : 4)) & 15;
  const high = (bytes[start + 8 + (g & 3)]! >> (2 * (g >> 2))) & 3;
  return low | (high << 4);
}

/** Two float16 scales, then 12 bytes with six bits of each of eight scales and offsets. */
function scalesAndOffsets(
  bytes: Uint8Array,
  start: number,
  scales: Float32Array,
  offsets: Float32Array,
  at: number,
): void {
  const d = halfAt(bytes, start);
  const dmin = halfAt(bytes, start + 2);
  for (let g = 0; g < 8; g++) {
    const { scale, offset } = sixBitPair(bytes, start + 4, g);
    scales[at + g] = d * scale;
    offsets[at + g] = dmin * offset;
  }
}

/** Pair g of eight scales and eight offsets of six bits, packed into 12 bytes. */
function sixBitPair(bytes: Uint8Array, start: number, g: number): { scale: number; offset: number } {
  if (g < 4) return { scale: bytes[start + g]! & 63, offset: bytes[start + 4 + g]! & 63 };
  const both = bytes[start + 4 + g]!;
  return {
    scale: (both & 15) | ((bytes[start + g - 4]! >> 6) << 4),
    offset: (both >> 4) | ((bytes[start + g]! >> 6) << 4),
  };
}
