import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesSource } from "./byte-source.js";
import { bytesPerElement, type DType, encodeFloats, type FloatDType } from "./dtype.js";
import { findNonFinite } from "./non-finite.js";
import type { TensorEntry } from "./safetensors/safetensors.js";

/** A tensor at some distance from the start of its source, which need not be aligned. */
function tensor(dtype: DType, bytes: Uint8Array, offset = 0): TensorEntry {
  const whole = new Uint8Array(bytes.byteLength + offset).fill(0xff, 0, offset);
  whole.set(bytes, offset);
  const shape = [bytes.byteLength / bytesPerElement[dtype]];
  return { name: "t", dtype, shape, offset, byteLength: bytes.byteLength, source: bytesSource("memory", whole) };
}

const floatTypes: FloatDType[] = ["F16", "BF16", "F32", "F64"];
const largest: Record<FloatDType, number> = { F16: 65504, BF16: 3.38e38, F32: 3.4e38, F64: Number.MAX_VALUE };

test.each(floatTypes)("finds the first NaN or infinity of a %s tensor, wherever it is", async (dtype) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 40_000 }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)), {
        maxLength: 3,
      }),
      fc.integer({ min: 0, max: 9 }),
      async (length, bad, offset) => {
        const values = Float64Array.from({ length }, (_, i) => ((i % 3) - 1) * largest[dtype]);
        if (length > 0) for (const [at, value] of bad) values[at % length] = value;
        const index = values.findIndex((value) => !Number.isFinite(value));
        const expected = index < 0 ? undefined : { index, value: String(values[index]) };
        expect(await findNonFinite(tensor(dtype, encodeFloats(dtype, values), offset))).toEqual(expected);
      },
    ),
    { numRuns: 100 },
  );
});

test("takes every float16 bit pattern for what it is", async () => {
  for (let bits = 0; bits < 65536; bits += bits === 0x7bff || bits === 0xfbff ? 1 : 7) {
    const found = await findNonFinite(tensor("F16", Uint8Array.of(0, 0, bits & 255, bits >> 8)));
    const magnitude = bits & 0x7fff;
    const value = magnitude > 0x7c00 ? "NaN" : bits >= 0x8000 ? "-Infinity" : "Infinity";
    expect(found).toEqual(magnitude < 0x7c00 ? undefined : { index: 1, value });
  }
});

test("reads a large tensor piece by piece and counts over the pieces", async () => {
  const bytes = new Uint8Array(20 * 2 ** 20 + 2);
  bytes.set(encodeFloats("BF16", Float32Array.of(Number.NEGATIVE_INFINITY)), bytes.length - 2);
  const entry = tensor("BF16", bytes, 3);
  const lengths: number[] = [];
  const source = {
    ...entry.source,
    read: (offset: number, length: number) => {
      lengths.push(length);
      return entry.source.read(offset, length);
    },
  };
  expect(await findNonFinite({ ...entry, source })).toEqual({ index: 10 * 2 ** 20, value: "-Infinity" });
  expect(Math.max(...lengths)).toBeLessThanOrEqual(16 * 2 ** 20);
});

test("has nothing to find in whole numbers", async () => {
  expect(await findNonFinite(tensor("I32", new Uint8Array(8).fill(0x7f)))).toBeUndefined();
});
