import type { ByteSource } from "../byte-source.js";
import type { TensorEntry } from "../safetensors/safetensors.js";
import { blocksOf } from "./block-tensor.js";
import { type BlockType, blockRowBytes } from "./block-types.js";
import { iq4Values } from "./iq4-values.js";
import { quantise } from "./quantise.js";
import { setCodes } from "./set-codes.js";
import { codeRange, dequantise, unpackBlocks } from "./unpack-blocks.js";

/**
 * Rows of a matrix in blocks that get other values: numbers that blocks have are remembered with their blocks, so that what was
 * rounded once is written as exactly that.
 */
export interface BlockRows {
  readonly type: BlockType;
  /** The values as blocks make them, row by row. @param values [m, d] @returns [m, d] */
  round(values: Float64Array): Float64Array;
  /** Bytes of rows, one after the other: those that the values were rounded to, or else of the nearest that are found. @param values [m, d] */
  bytesOf(values: Float64Array): Uint8Array;
  /** By how much one weight of a row changes when its code becomes the next one up or down; 0 where there is none. @param row as rounded, [d] */
  steps(row: Float64Array): { readonly up: Float64Array; readonly down: Float64Array };
  /** A row with some of its codes moved up (1) or down (-1) by one. @param row as rounded, [d]  @param moves [d] */
  moved(row: Float64Array, moves: Int8Array): Float64Array;
  /** Remembers a row that is copied as it is. @param bytes of its blocks @returns its values, [d] */
  copied(bytes: Uint8Array): Float64Array;
}

const ofSource = new WeakMap<ByteSource, BlockRows>();

/** Undefined for a matrix whose numbers do not lie in blocks. */
export function blockRowsOf(weight: TensorEntry): BlockRows | undefined {
  const blocks = blocksOf(weight);
  if (blocks === undefined) return undefined;
  const rows = ofSource.get(weight.source) ?? blockRows(blocks.type, blocks.width);
  ofSource.set(weight.source, rows);
  return rows;
}

/** Lets a changed matrix know the rows of the one that it was made from. */
export function shareBlockRows(from: TensorEntry, to: TensorEntry): void {
  const rows = blockRowsOf(from);
  if (rows !== undefined) ofSource.set(to.source, rows);
}

function blockRows(type: BlockType, width: number): BlockRows {
  const rowBytes = blockRowBytes(type, width);
  const known = new Map<string, Uint8Array>();
  const remember = (bytes: Uint8Array): Float32Array => {
    const values = dequantise(type, bytes);
    known.set(hash(values), bytes);
    return values;
  };
  const blocksOfRow = (row: Float64Array): Uint8Array => {
    const single = Float32Array.from(row);
    const found = known.get(hash(single));
    if (found !== undefined && sameNumbers(dequantise(type, found), single)) return found;
    return quantise(type, single);
  };
  const eachRow = (values: Float64Array) =>
    Array.from({ length: values.length / width }, (_, j) => values.subarray(j * width, (j + 1) * width));
  return {
    type,
    round(values) {
      const rounded = new Float64Array(values.length);
      for (const [j, row] of eachRow(values).entries()) rounded.set(remember(blocksOfRow(row)), j * width);
      return rounded;
    },
    bytesOf(values) {
      const bytes = new Uint8Array((values.length / width) * rowBytes);
      for (const [j, row] of eachRow(values).entries()) bytes.set(blocksOfRow(row), j * rowBytes);
      return bytes;
    },
    steps(row) {
      const { codes, scales, group } = unpackBlocks(type, blocksOfRow(row));
      const by = (sign: 1 | -1) =>
        Float64Array.from(codes, (code, i) => {
          const next = nextCode(type, code, sign);
          return next === undefined ? 0 : (next - code) * scales[Math.floor(i / group)]!;
        });
      return { up: by(1), down: by(-1) };
    },
    moved(row, moves) {
      const bytes = blocksOfRow(row).slice();
      const codes = unpackBlocks(type, bytes).codes.map((code, i) => {
        const sign = moves[i]!;
        return sign === 0 ? code : (nextCode(type, code, sign as 1 | -1) ?? code);
      });
      setCodes(type, bytes, codes);
      return Float64Array.from(remember(bytes));
    },
    copied: (bytes) => Float64Array.from(remember(bytes)),
  };
}

/** The code beside one; undefined at the end of the type's range. */
function nextCode(type: BlockType, code: number, sign: 1 | -1): number | undefined {
  if (type === "IQ4_NL" || type === "IQ4_XS") return iq4Values[iq4Values.indexOf(code) + sign];
  const { least, most } = codeRange(type);
  const next = code + sign;
  return next < least || next > most ? undefined : next;
}

function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, i) => value === b[i]);
}

/** Of all bits: two sums, by multipliers of Knuth's and FNV's. */
function hash(values: Float32Array): string {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  let [a, b] = [words.length, 0x811c9dc5];
  for (const word of words) {
    a = Math.imul(a ^ (a >>> 15) ^ word, 2654435761);
    b = Math.imul(b ^ word, 16777619) ^ (b >>> 13);
  }
  return `${a} ${b}`;
}
