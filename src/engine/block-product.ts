import { blocksOf, readBlockRows, type StoredBlocks } from "../tensor/blocks/block-tensor.js";
import { codeRange, groupsOf, type UnpackedBlocks, unpackBlocks } from "../tensor/blocks/unpack-blocks.js";
import type { ByteSource } from "../tensor/byte-source.js";
import { computedRows } from "../tensor/computed-rows.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import type { Graph, Value } from "./graph.js";
import { transposedProduct, weightProduct } from "./transposed-product.js";

/** A matrix [N, K] in blocks, laid out as operators take it. */
interface PackedMatrix {
  /** Whole numbers of 4 bits, two in a byte, as MatMulNBits wants them (8 more than they are), or of 8 bits. */
  readonly bits: 4 | 8;
  readonly group: number;
  /** [N, K / group, group / 2] or [N, K] */
  readonly codes: TensorEntry;
  /** [N, K / group] */
  readonly scales: TensorEntry;
  /** What is taken off after the scale, as far as the codes lack it, [N, K / group]. */
  readonly offsets: TensorEntry | undefined;
}

/** What MatMulNBits takes off each 4-bit number. */
const zeroPoint = 8;

/** Each matrix packed once, so that an engine that keeps what it has computed finds it again. */
const packed = new WeakMap<ByteSource, Map<string, PackedMatrix>>();

/**
 * x W' with W as torch.nn.Linear stores it, [out, in]; a matrix in blocks is multiplied as it is stored and takes little more
 * memory than its file.
 * @param x [..., in] @returns [..., out]
 */
export function timesTransposed(graph: Graph, x: Value, weight: TensorEntry): Value {
  const blocks = blocksOf(weight);
  if (blocks === undefined || graph.widensBlocks) return weightProduct(graph, x, weight, { transposeB: 2 });
  const matrix = packedMatrix(weight, blocks, bitsOf(blocks));
  const product = matrix.bits === 4 ? fourBitProduct(graph, x, matrix, blocks) : eightBitProduct(graph, x, matrix);
  return matrix.offsets === undefined ? product : lessOffsets(graph, product, x, matrix, blocks);
}

/** Rows of a matrix in blocks as float32, [..., K] of indices [...]. */
export function blockRows(graph: Graph, table: TensorEntry, blocks: StoredBlocks, indices: Value): Value {
  const matrix = packedMatrix(table, blocks, bitsOf(blocks));
  return matrix.bits === 4 ? fourBitRows(graph, matrix, blocks, indices) : eightBitRows(graph, matrix, blocks, indices);
}

function fourBitRows(
  graph: Graph,
  { codes, scales, offsets, group }: PackedMatrix,
  { rows, width }: StoredBlocks,
  indices: Value,
): Value {
  const flat = graph.weight({ ...codes, name: `${codes.name}.rows`, shape: [rows, width / 2] });
  const attributes = { gather_axis: 0, quantize_axis: 1, block_size: group, bits: 4 };
  const values = graph.op("GatherBlockQuantized", [flat, indices, graph.weight(scales)], attributes);
  if (offsets === undefined) return values;
  const shaped = (value: Value, size: number) => graph.op("Reshape", [value, shape(graph, [-1, width / group, size])]);
  const less = graph.op("Gather", [graph.weight(offsets), indices]);
  return graph.op("Reshape", [graph.op("Sub", [shaped(values, group), shaped(less, 1)]), graph.op("Shape", [values])]);
}

function eightBitRows(
  graph: Graph,
  { codes, scales, offsets, group }: PackedMatrix,
  blocks: StoredBlocks,
  indices: Value,
): Value {
  const groups = blocks.width / group;
  const rows = graph.op("Gather", [graph.weight(codes), indices]);
  const shaped = (value: Value, width: number) => graph.op("Reshape", [value, shape(graph, [-1, groups, width])]);
  const gathered = (tensor: TensorEntry) => shaped(graph.op("Gather", [graph.weight(tensor), indices]), 1);
  const scaled = graph.op("Mul", [shaped(graph.cast(rows, "float32"), group), gathered(scales)]);
  const values = offsets === undefined ? scaled : graph.op("Sub", [scaled, gathered(offsets)]);
  return graph.op("Reshape", [values, graph.op("Shape", [rows])]);
}

const shape = (graph: Graph, sizes: readonly number[]): Value => graph.constant(BigInt64Array.from(sizes, BigInt));

function fourBitProduct(graph: Graph, x: Value, { codes, scales, group }: PackedMatrix, blocks: StoredBlocks): Value {
  return graph.op("MatMulNBits", [x, graph.weight(codes), graph.weight(scales)], {
    K: blocks.width,
    N: blocks.rows,
    bits: 4,
    block_size: group,
  });
}

function eightBitProduct(graph: Graph, x: Value, { codes, scales, group }: PackedMatrix): Value {
  const attributes = { axis: 1, block_size: group };
  const weight = graph.op("DequantizeLinear", [graph.weight(codes), graph.weight(scales)], attributes);
  return transposedProduct(graph, x, weight, { transposeB: 2 });
}

/** Less sum over groups of offset * (sum of x over the group). */
function lessOffsets(
  graph: Graph,
  product: Value,
  x: Value,
  { offsets, group }: PackedMatrix,
  { width }: StoredBlocks,
): Value {
  const groups = graph.op("Reshape", [x, shape(graph, [-1, width / group, group])]);
  const sums = graph.op("ReduceSum", [groups, shape(graph, [-1])], { keepdims: 0 });
  const less = transposedProduct(graph, sums, graph.weight(offsets!), { transposeB: 2 });
  return graph.op("Sub", [product, graph.op("Reshape", [less, graph.op("Shape", [product])])]);
}

/** The least that holds the type's numbers. */
function bitsOf({ type }: StoredBlocks): 4 | 8 {
  const { least, most } = codeRange(type);
  return most - least < 16 ? 4 : 8;
}

function packedMatrix(weight: TensorEntry, blocks: StoredBlocks, bits: 4 | 8): PackedMatrix {
  const ofSource = packed.get(weight.source) ?? new Map<string, PackedMatrix>();
  packed.set(weight.source, ofSource);
  const key = `${weight.offset} ${weight.byteLength}`;
  const found = ofSource.get(key) ?? pack(weight.name, blocks, bits);
  ofSource.set(key, found);
  return found;
}

function pack(name: string, blocks: StoredBlocks, bits: 4 | 8): PackedMatrix {
  const { type, rows, width } = blocks;
  const { group, hasOffsets } = groupsOf(type);
  const { most } = codeRange(type);
  // Numbers from 0 to 15 are as they are wanted, but then 8 too many are taken off.
  const added = most < zeroPoint ? zeroPoint : 0;
  const missing = bits === 4 && added === 0 ? zeroPoint : 0;
  const part = (
    suffix: string,
    dtype: "F32" | "I8" | "U8",
    sizes: readonly number[],
    make: (unpacked: UnpackedBlocks) => Uint8Array,
  ): TensorEntry => {
    const byteLength = sizes.reduce((product, size) => product * size, dtype === "F32" ? 4 : 1);
    const source = computedRows({
      name: blocks.source.name,
      rows,
      rowBytes: byteLength / rows,
      make: async (start, end) => make(unpackBlocks(type, await readBlockRows(blocks, start, end))),
    });
    return { name: `${name}.${suffix}`, dtype, shape: sizes, offset: 0, byteLength, source };
  };
  const groups = width / group;
  return {
    bits,
    group,
    codes:
      bits === 4
        ? part("codes4", "U8", [rows, groups, group / 2], ({ codes }) => nibblePairs(codes, added))
        : part("codes8", "I8", [rows, width], ({ codes }) => new Uint8Array(codes.buffer)),
    scales: part("scales", "F32", [rows, groups], ({ scales }) => new Uint8Array(scales.buffer)),
    offsets:
      hasOffsets || missing > 0
        ? part(`offsets${bits}`, "F32", [rows, groups], ({ scales, offsets }) => {
            const left = scales.map((scale, index) => (offsets?.[index] ?? 0) - missing * scale);
            return new Uint8Array(left.buffer);
          })
        : undefined,
  };
}

function nibblePairs(codes: Int8Array, added: number): Uint8Array {
  const pairs = new Uint8Array(codes.length / 2);
  for (let i = 0; i < pairs.length; i++) pairs[i] = (codes[2 * i]! + added) | ((codes[2 * i + 1]! + added) << 4);
  return pairs;
}
