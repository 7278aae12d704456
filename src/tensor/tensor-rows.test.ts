import { expect, test } from "vitest";
import type { ByteSource } from "./byte-source.js";
import { memoryTensor } from "./memory-tensor.js";
import { readTensorFloat64 } from "./safetensors/safetensors.js";
import { readRows, tensorRows } from "./tensor-rows.js";

const values = Float64Array.from({ length: 24 }, (_, i) => i / 4);

test.each(["F64", "F32", "F16", "BF16"] as const)("rows of %s are those of the whole matrix", async (dtype) => {
  const matrix = memoryTensor("E", dtype, [8, 3], values);
  const some = tensorRows(matrix, 2, 4);
  expect(some.shape).toEqual([2, 3]);
  expect(await readTensorFloat64(some)).toEqual(values.slice(6, 12));
  expect(await readRows(matrix, [7, 0, 7])).toEqual(
    Float64Array.of(...values.slice(21), ...values.slice(0, 3), ...values.slice(21)),
  );
  expect(await readRows(matrix, [])).toEqual(new Float64Array());
});

test("rows of more than two axes are counted over all but the last", async () => {
  const tensor = memoryTensor("hidden", "F32", [2, 4, 3], values);
  expect(await readTensorFloat64(tensorRows(tensor, 3, 5))).toEqual(values.slice(9, 15));
});

test("no more is read than the rows that are wanted", async () => {
  const matrix = memoryTensor("E", "F32", [8, 3], values);
  const read: [number, number][] = [];
  const source: ByteSource = {
    ...matrix.source,
    read: (offset, length) => {
      read.push([offset - matrix.offset, length]);
      return matrix.source.read(offset, length);
    },
  };
  await readRows({ ...matrix, source }, [5, 1]);
  expect(read).toEqual([
    [60, 12],
    [12, 12],
  ]);
});
