import { computedRows } from "../computed-rows.js";
import { readTensor, type TensorEntry } from "../safetensors/safetensors.js";
import { wrongTensor } from "./wrong-tensor.js";

/** Rows and columns of a matrix that share a scale. */
export interface ScaledBlock {
  readonly rows: number;
  readonly columns: number;
}

/** Values of the 256 codes of float8 E4M3 without infinities (Micikevicius et al. 2022, arXiv 2209.05433). */
const values = Float32Array.from({ length: 256 }, (_, code) => {
  const [sign, exponent, fraction] = [code < 128 ? 1 : -1, (code >> 3) & 15, code & 7];
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10));
});

/**
 * A matrix of float8 numbers whose blocks have a factor each, as one of float32 whose rows are made when they are read.
 * @param weight F8_E4M3 [rows, columns] @param scales [rows / block rows, columns / block columns], rounded up
 * @throws InputError naming the tensor whose number type or shape does not fit
 */
export function scaledFloat8(weight: TensorEntry, scales: TensorEntry, block: ScaledBlock): TensorEntry {
  const [rows, columns] = weight.shape;
  if (weight.dtype !== "F8_E4M3" || rows === undefined || columns === undefined || weight.shape.length !== 2) {
    throw wrongTensor(weight, "where a matrix of F8_E4M3 is wanted");
  }
  const wanted = [Math.ceil(rows / block.rows), Math.ceil(columns / block.columns)] as const;
  if (scales.shape.length !== 2 || wanted.some((size, axis) => size !== scales.shape[axis])) {
    throw wrongTensor(scales, `where blocks of ${block.rows} x ${block.columns} want [${wanted.join(", ")}]`);
  }
  const source = computedRows({
    name: weight.source.name,
    rows,
    rowBytes: 4 * columns,
    async make(start, end) {
      const codes = await weight.source.read(weight.offset + start * columns, (end - start) * columns);
      const first = Math.floor(start / block.rows);
      const factors = await scaleRows(scales, wanted[1], first, Math.ceil(end / block.rows));
      const made = new Float32Array(codes.length);
      for (let row = start; row < end; row++) {
        const [at, ofRow] = [(row - start) * columns, (Math.floor(row / block.rows) - first) * wanted[1]];
        for (let column = 0; column < columns; column++) {
          const factor = factors[ofRow + Math.floor(column / block.columns)]!;
          made[at + column] = values[codes[at + column]!]! * factor;
        }
      }
      return new Uint8Array(made.buffer);
    },
  });
  return { name: weight.name, dtype: "F32", shape: weight.shape, offset: 0, byteLength: source.size, source };
}

/** Rows [start, end) of the scales. */
function scaleRows(scales: TensorEntry, width: number, start: number, end: number): Promise<Float32Array> {
  const rowBytes = scales.byteLength / scales.shape[0]!;
  return readTensor({
    ...scales,
    shape: [end - start, width],
    offset: scales.offset + start * rowBytes,
    byteLength: (end - start) * rowBytes,
  });
}
