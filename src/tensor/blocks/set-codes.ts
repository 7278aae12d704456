import { type BlockType, blockTypes } from "./block-types.js";
import { iq4Values } from "./iq4-values.js";

/**
 * Puts other whole numbers into blocks, in place; scales and offsets stay.
 * @param bytes of blocks of that type  @param codes one for each weight, each in the type's range
 */
export function setCodes(type: BlockType, bytes: Uint8Array, codes: Int8Array): void {
  const { weights, bytes: blockBytes } = blockTypes[type];
  for (let b = 0; b * weights < codes.length; b++) {
    writers[type](bytes.subarray(b * blockBytes, (b + 1) * blockBytes), codes.subarray(b * weights, (b + 1) * weights));
  }
}

type Writer = (block: Uint8Array, codes: Int8Array) => void;

/** Low nibbles are codes 0 to 15, high ones 16 to 31. @param at where the nibbles start  @param added makes codes at least 0 */
const nibbles =
  (at: number, added: number): Writer =>
  (block, codes) => {
    for (let i = 0; i < 16; i++) block[at + i] = (codes[i]! + added) | ((codes[16 + i]! + added) << 4);
  };

/** Fifth bits in four bytes, then nibbles. */
const fiveBits =
  (at: number, added: number): Writer =>
  (block, codes) => {
    block.fill(0, at, at + 4);
    for (let i = 0; i < 16; i++) {
      const [low, high] = [codes[i]! + added, codes[16 + i]! + added];
      block[at + (i >> 3)]! |= (low >> 4) << (i & 7);
      block[at + 2 + (i >> 3)]! |= (high >> 4) << (i & 7);
      block[at + 4 + i] = (low & 15) | ((high & 15) << 4);
    }
  };

const iq4Index = new Map(Array.from(iq4Values, (value, index) => [value, index]));

const iq4 =
  (at: number): Writer =>
  (block, codes) => {
    for (let i = 0; i < codes.length; i += 32) {
      for (let k = 0; k < 16; k++) {
        block[at + i / 2 + k] = iq4Index.get(codes[i + k]!)! | (iq4Index.get(codes[i + 16 + k]!)! << 4);
      }
    }
  };

/** Two bits a weight: each 32 bytes hold 128 weights, lowest bits first. */
function twoBits(block: Uint8Array, at: number, codes: Int8Array, added: number): void {
  block.fill(0, at, at + 64);
  for (let i = 0; i < 256; i++) {
    block[at + (i >> 7) * 32 + (i & 31)]! |= ((codes[i]! + added) & 3) << (2 * ((i >> 5) & 3));
  }
}

/** Four bits a weight: each 32 bytes hold 64 weights, low nibbles first. */
function fourBits(block: Uint8Array, at: number, codes: Int8Array): void {
  block.fill(0, at, at + 128);
  for (let i = 0; i < 256; i++) block[at + (i >> 6) * 32 + (i & 31)]! |= (codes[i]! & 15) << (4 * ((i >> 5) & 1));
}

const writers: Record<BlockType, Writer> = {
  Q4_0: nibbles(2, 8),
  Q4_1: nibbles(4, 0),
  Q5_0: fiveBits(2, 16),
  Q5_1: fiveBits(4, 0),
  Q8_0: (block, codes) => block.set(new Uint8Array(codes.buffer, codes.byteOffset, codes.length), 2),
  IQ4_NL: iq4(2),
  IQ4_XS: iq4(8),
  Q2_K: (block, codes) => twoBits(block, 16, codes, 0),
  Q3_K(block, codes) {
    twoBits(block, 32, codes, 4);
    block.fill(0, 0, 32);
    // A set bit means that nothing is taken off.
    for (let i = 0; i < 256; i++) block[i & 31]! |= (codes[i]! >= 0 ? 1 : 0) << (i >> 5);
  },
  Q4_K: (block, codes) => fourBits(block, 16, codes),
  Q5_K(block, codes) {
    fourBits(block, 48, codes);
    block.fill(0, 16, 48);
    for (let i = 0; i < 256; i++) block[16 + (i & 31)]! |= (codes[i]! >> 4) << (i >> 5);
  },
  Q6_K(block, codes) {
    block.fill(0, 0, 192);
    for (let i = 0; i < 256; i++) {
      const code = codes[i]! + 32;
      const inHalf = i & 127;
      block[(i >> 7) * 64 + (inHalf & 63)]! |= (code & 15) << (inHalf < 64 ? 0 : 4);
      block[128 + (i >> 7) * 32 + (i & 31)]! |= (code >> 4) << (2 * (inHalf >> 5));
    }
  },
};
