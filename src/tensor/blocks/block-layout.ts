import { decodeFloat32 } from "../dtype.js";

/** How the blocks of one type are taken apart. */
export interface BlockLayout {
  /** Weights that share a scale: 16 or 32. */
  readonly group: number;
  /** Whether a group has an offset too, which is taken off after the scale. */
  readonly hasOffsets: boolean;
  /**
   * Takes one block apart.
   * @param start of the block in the bytes
   * @param out filled with codes from `code` on, and from `at` on with scales and offsets
   */
  unpack(bytes: Uint8Array, start: number, out: UnpackedRoom, code: number, at: number): void;
}

/** Room for blocks that are taken apart. */
export interface UnpackedRoom {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

let halves: Float32Array | undefined;

/** The float16 that lies there. */
export function halfAt(bytes: Uint8Array, place: number): number {
  halves ??= decodeFloat32("F16", new Uint8Array(Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits).buffer));
  return halves[bytes[place]! | (bytes[place + 1]! << 8)]!;
}
