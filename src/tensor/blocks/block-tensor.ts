import type { ByteSource } from "../byte-source.js";
import { type ComputedSource, computedRows } from "../computed-rows.js";
import type { TensorEntry } from "../safetensors/safetensors.js";
import { storedTransposed } from "../tensor-views.js";
import { type BlockType, blockRowBytes } from "./block-types.js";
import { dequantise } from "./unpack-blocks.js";

/** Where the blocks of a tensor's rows lie, one row after the other. */
export interface StoredBlocks {
  readonly type: BlockType;
  readonly source: ByteSource;
  /** Of the first row's first byte. */
  readonly offset: number;
  readonly rows: number;
  /** Weights in a row. */
  readonly width: number;
}

interface BlockSource extends ComputedSource {
  readonly blocks: StoredBlocks;
}

/** A tensor in blocks as one of float32, whose numbers are made when they are read. @param shape rows first */
export function blockTensor(
  name: string,
  shape: readonly number[],
  stored: Pick<StoredBlocks, "type" | "source" | "offset">,
): TensorEntry {
  const width = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const blocks: StoredBlocks = { ...stored, rows, width };
  const computed = computedRows({
    name: stored.source.name,
    rows,
    rowBytes: 4 * width,
    async make(start, end) {
      return new Uint8Array(dequantise(stored.type, await readBlockRows(blocks, start, end)).buffer);
    },
  });
  const source: BlockSource = { ...computed, blocks };
  return { name, dtype: "F32", shape, offset: 0, byteLength: source.size, source };
}

/** Bytes of rows [start, end). */
export function readBlockRows({ type, source, offset, width }: StoredBlocks, start: number, end: number) {
  const rowBytes = blockRowBytes(type, width);
  return source.read(offset + start * rowBytes, (end - start) * rowBytes);
}

/** The blocks that a tensor, or some whole rows of one, is stored as; undefined if it is stored otherwise. */
export function blocksOf(tensor: TensorEntry): StoredBlocks | undefined {
  if (!("blocks" in tensor.source)) return undefined;
  const { blocks } = tensor.source as BlockSource;
  const first = tensor.offset / (4 * blocks.width);
  const rows = tensor.byteLength / (4 * blocks.width);
  if (tensor.shape.at(-1) !== blocks.width || !Number.isInteger(first) || !Number.isInteger(rows)) return undefined;
  return { ...blocks, offset: blocks.offset + first * blockRowBytes(blocks.type, blocks.width), rows };
}

/** Number type that a tensor is stored in, for people. */
export function storedType(tensor: TensorEntry): string {
  return blocksOf(tensor)?.type ?? tensor.dtype;
}

/** Bytes that a tensor takes where it is stored. */
export function storedBytes(tensor: TensorEntry): number {
  const blocks = blocksOf(storedTransposed(tensor) ?? tensor);
  return blocks === undefined ? tensor.byteLength : blocks.rows * blockRowBytes(blocks.type, blocks.width);
}
