import { readTensorFloat64, type TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { tensorRows } from "../../tensor/tensor-rows.js";
import type { Head } from "./head.js";

/** Numbers of E that are held at once. */
const blockNumbers = 2 ** 20;

/** Whether two heads of one shape differ, as numbers, in nothing but the rows and biases of these tokens. */
export async function differInRowsOnly(a: Head, b: Head, ids: readonly number[]): Promise<boolean> {
  const { vocabSize, hiddenSize } = a;
  if (b.vocabSize !== vocabSize || b.hiddenSize !== hiddenSize) return false;
  const { scale = 1, softCap } = a.transform;
  if ((b.transform.scale ?? 1) !== scale || b.transform.softCap !== softCap) return false;
  const changed = new Set(ids);
  if (!(await sameRows(column(a.bias, vocabSize), column(b.bias, vocabSize), vocabSize, changed))) return false;
  return sameRows(a.weight, b.weight, vocabSize, changed);
}

/** A bias as a matrix with rows of one number. */
const column = (bias: TensorEntry | undefined, vocabSize: number) => bias && { ...bias, shape: [vocabSize, 1] };

/** @param a, b undefined stands for zeros */
async function sameRows(
  a: TensorEntry | undefined,
  b: TensorEntry | undefined,
  rows: number,
  changed: ReadonlySet<number>,
): Promise<boolean> {
  const width = (a ?? b)?.shape[1];
  if (width === undefined) return true;
  const step = Math.max(1, Math.floor(blockNumbers / width));
  for (let start = 0; start < rows; start += step) {
    const end = Math.min(rows, start + step);
    const [left, right] = await Promise.all(
      [a, b].map((matrix) =>
        matrix ? readTensorFloat64(tensorRows(matrix, start, end)) : new Float64Array((end - start) * width),
      ),
    );
    for (let row = start; row < end; row++) {
      if (changed.has(row)) continue;
      for (let i = (row - start) * width; i < (row - start + 1) * width; i++) {
        if (left![i] !== right![i]) return false;
      }
    }
  }
  return true;
}
