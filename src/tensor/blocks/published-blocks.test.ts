import { expect, it } from "vitest";
import { bytesSource } from "../byte-source.js";
import type { DType } from "../dtype.js";
import { memoryTensor } from "../memory-tensor.js";
import { readTensor, type TensorEntry } from "../safetensors/safetensors.js";
import { mxfp4Matrices } from "./mxfp4.js";
import { scaledFloat8 } from "./scaled-float8.js";

const bytesTensor = (name: string, dtype: DType, shape: number[], bytes: Uint8Array): TensorEntry => ({
  name,
  dtype,
  shape,
  offset: 0,
  byteLength: bytes.length,
  source: bytesSource(name, bytes),
});

/** Some rows of a matrix, as an engine may read them. */
const rowsOf = (tensor: TensorEntry, start: number, end: number): Promise<Float32Array> => {
  const width = tensor.shape.at(-1)!;
  return readTensor({
    ...tensor,
    shape: [end - start, width],
    offset: 4 * start * width,
    byteLength: 4 * (end - start) * width,
  });
};

it("takes float8 as E4M3 says, times the factor of its block", async () => {
  const codes = Uint8Array.of(0x7e, 0x01, 0x80, 0x38, 0xb8, 0x08, 0x7f, 0x00, 0x40);
  const scales = memoryTensor("w_scale_inv", "F32", [2, 2], Float32Array.of(2, 3, 5, 7));
  const matrix = scaledFloat8(bytesTensor("w", "F8_E4M3", [3, 3], codes), scales, { rows: 2, columns: 2 });
  const whole = [896, 2 ** -8, -0, 2, -2, 3 * 2 ** -6, Number.NaN, 0, 14];
  expect([...(await readTensor(matrix))]).toEqual(whole);
  expect([...(await rowsOf(matrix, 1, 2))]).toEqual(whole.slice(3, 6));
  expect([...(await rowsOf(matrix, 2, 3))]).toEqual(whole.slice(6));
});

it("takes MXFP4 the lower half of a byte first, times its block's power of two", async () => {
  const codes = new Uint8Array(32);
  codes.set([0x21, 0xf7], 0);
  codes.set([0x8e], 31);
  const blocks = bytesTensor("w_blocks", "U8", [1, 2, 1, 16], codes);
  const matrix = mxfp4Matrices("w_rows", blocks, bytesTensor("w_scales", "U8", [1, 2, 1], Uint8Array.of(127, 129)));
  const numbers = [...(await readTensor(matrix))];
  expect(matrix.shape).toEqual([1, 2, 32]);
  expect(numbers.slice(0, 5)).toEqual([0.5, 1, 6, -6, 0]);
  expect(numbers.slice(-2)).toEqual([-16, -0]);
  expect([...(await rowsOf(matrix, 1, 2))]).toEqual(numbers.slice(32));
});

it("refuses scales that do not fit", () => {
  const weight = bytesTensor("w", "F8_E4M3", [4, 4], new Uint8Array(16));
  const scales = memoryTensor("w_scale_inv", "F32", [2, 1], new Float32Array(2));
  expect(() => scaledFloat8(weight, scales, { rows: 2, columns: 2 })).toThrow(
    'tensor "w_scale_inv" is F32 [2, 1] where blocks of 2 x 2 want [2, 2]',
  );
  const blocks = bytesTensor("w_blocks", "U8", [1, 2, 1, 8], new Uint8Array(16));
  expect(() => mxfp4Matrices("w", blocks, blocks)).toThrow(
    '"w_blocks" is U8 [1, 2, 1, 8] where U8 [experts, rows, blocks, 16]',
  );
});
