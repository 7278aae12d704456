import type { ByteSource } from "./byte-source.js";
import { computedRows } from "./computed-rows.js";
import { bytesPerElement } from "./dtype.js";
import { readTensor, type TensorEntry } from "./safetensors/safetensors.js";
import { tensorRows } from "./tensor-rows.js";

/** Where rows of one size lie one after the other. */
interface StoredRows {
  readonly source: ByteSource;
  readonly offset: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** The same rows in another order. @param order which of them each row is, [rows] */
export function reorderedRows({ source, offset, rows, rowBytes }: StoredRows, order: Int32Array): ByteSource {
  return computedRows({
    name: source.name,
    rows,
    rowBytes,
    async make(start, end) {
      const bytes = new Uint8Array((end - start) * rowBytes);
      for (let row = start; row < end; ) {
        let next = row + 1;
        while (next < end && order[next] === order[next - 1]! + 1) next++;
        const run = await source.read(offset + order[row]! * rowBytes, (next - row) * rowBytes);
        bytes.set(run, (row - start) * rowBytes);
        row = next;
      }
      return bytes;
    },
  });
}

/** Values of a tensor changed one by one, as float32. */
export function mappedTensor(tensor: TensorEntry, change: (value: number) => number): TensorEntry {
  const width = tensor.shape.at(-1)!;
  const rows = tensor.byteLength / (width * bytesPerElement[tensor.dtype]);
  const source = computedRows({
    name: tensor.source.name,
    rows,
    rowBytes: 4 * width,
    make: async (start, end) => new Uint8Array((await readTensor(tensorRows(tensor, start, end))).map(change).buffer),
  });
  return { ...tensor, dtype: "F32", source, offset: 0, byteLength: source.size };
}

interface TransposedSource extends ByteSource {
  readonly transposed: TensorEntry;
}

/** Rows read at once to pick columns from. */
const blockRows = 256;

/** A matrix [n, m] as one of float32 [m, n]; the one that is stored can be asked for. */
export function transposedTensor(tensor: TensorEntry): TensorEntry {
  const [rows, columns] = tensor.shape as [number, number];
  const computed = computedRows({
    name: tensor.source.name,
    rows: columns,
    rowBytes: 4 * rows,
    async make(start, end) {
      const picked = new Float32Array((end - start) * rows);
      for (let row = 0; row < rows; row += blockRows) {
        const last = Math.min(row + blockRows, rows);
        const block = await readTensor(tensorRows(tensor, row, last));
        for (let i = row; i < last; i++) {
          for (let j = start; j < end; j++) picked[(j - start) * rows + i] = block[(i - row) * columns + j]!;
        }
      }
      return new Uint8Array(picked.buffer);
    },
  });
  const source: TransposedSource = { ...computed, transposed: tensor };
  return { name: tensor.name, dtype: "F32", shape: [columns, rows], offset: 0, byteLength: source.size, source };
}

/** The matrix [n, m] that a tensor [m, n] is stored as; undefined if it is stored as it is. */
export function storedTransposed({ source }: TensorEntry): TensorEntry | undefined {
  return "transposed" in source ? (source as TransposedSource).transposed : undefined;
}
