import { describe, expect, test } from "vitest";
import {
  decodeFloat32,
  decodeFloat64,
  decodeIntegers,
  encodeBFloat16,
  encodeFloat16,
  encodeFloats,
  isFloatDType,
  isIntegerDType,
} from "./dtype.js";

const allBits = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

/** IEEE 754 binary16 by its definition. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** The same bytes at an odd address. */
function unaligned(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 1);
  buffer.set(bytes, 1);
  return buffer.subarray(1);
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** The float32 next to a positive finite one, up or down. */
function neighbour(value: number, step: 1 | -1): number {
  const values = Float32Array.of(value);
  bitsOf(values)[0]! += step;
  return values[0]!;
}

describe("float16", () => {
  test("decodes every bit pattern, aligned or not", () => {
    const expected = Array.from(allBits, half);
    expect(Array.from(decodeFloat32("F16", bytesOf(allBits)))).toEqual(expected);
    expect(Array.from(decodeFloat32("F16", unaligned(bytesOf(allBits))))).toEqual(expected);
    expect(Array.from(decodeFloat64("F16", bytesOf(allBits)))).toEqual(expected);
  });

  test("encodes back every bit pattern, NaNs made quiet", () => {
    const back = encodeFloat16(decodeFloat32("F16", bytesOf(allBits)));
    const wanted = allBits.map((bits) => ((bits & 0x7fff) > 0x7c00 ? bits | 0x200 : bits));
    expect(back).toEqual(wanted);
  });

  test("rounds to nearest, ties to even, between every two neighbours", () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (half(bits) + half(bits + 1)) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const values = Float32Array.of(middle, neighbour(middle, -1), neighbour(middle, 1), -middle);
      expect(Array.from(encodeFloat16(values))).toEqual([even, bits, bits + 1, even | 0x8000]);
    }
  });

  test("overflows to infinity from half-way beyond the largest number", () => {
    const values = Float32Array.of(65504, neighbour(65520, -1), 65520, -65520, 3.4e38, Number.NEGATIVE_INFINITY);
    expect(Array.from(encodeFloat16(values))).toEqual([0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00, 0xfc00]);
  });

  test("takes float32 numbers below its smallest to zero, with their sign", () => {
    expect(Array.from(encodeFloat16(Float32Array.of(1e-45, -1e-45, 2 ** -25, -(2 ** -25), -0)))).toEqual([
      0, 0x8000, 0, 0x8000, 0x8000,
    ]);
  });
});

describe("bfloat16", () => {
  test("decodes every bit pattern exactly and encodes it back, NaNs made quiet", () => {
    const values = decodeFloat32("BF16", unaligned(bytesOf(allBits)));
    expect(Array.from(bitsOf(values))).toEqual(Array.from(allBits, (bits) => bits * 65536));
    const wanted = allBits.map((bits) => ((bits & 0x7fff) > 0x7f80 ? bits | 0x40 : bits));
    expect(encodeBFloat16(values)).toEqual(wanted);
  });

  test("rounds to nearest, ties to even", () => {
    const cases: [bits: number, expected: number][] = [
      [0x3f808000, 0x3f80],
      [0x3f818000, 0x3f82],
      [0x3f807fff, 0x3f80],
      [0x3f808001, 0x3f81],
      [0xbf818000, 0xbf82],
      [0x7f7fffff, 0x7f80],
      [0x00000001, 0x0000],
      [0x00008001, 0x0001],
      [0x7f800001, 0x7fc0],
      [0xffffffff, 0xffff],
    ];
    const values = new Float32Array(Uint32Array.from(cases, ([bits]) => bits).buffer);
    expect(Array.from(encodeBFloat16(values))).toEqual(cases.map(([, expected]) => expected));
  });
});

test("decodes float32 and float64 at any alignment, without sharing memory", () => {
  const singles = Float32Array.of(1.5, -0, 1e-45, Number.NaN, Number.POSITIVE_INFINITY);
  const doubles = Float64Array.of(0.1, -1e300, 5e-324, Number.NaN);
  expect(decodeFloat32("F32", unaligned(bytesOf(singles)))).toEqual(singles);
  expect(decodeFloat64("F32", unaligned(bytesOf(singles)))).toEqual(Float64Array.from(singles));
  expect(decodeFloat64("F64", unaligned(bytesOf(doubles)))).toEqual(doubles);
  expect(decodeFloat32("F64", unaligned(bytesOf(doubles)))).toEqual(Float32Array.from(doubles));
  const bytes = bytesOf(singles);
  decodeFloat32("F32", bytes)[0] = 7;
  expect(singles[0]).toBe(1.5);
});

test("decodes whole numbers of every type", () => {
  const ones = new Uint8Array(8).fill(0xff);
  expect(Array.from(decodeIntegers("U8", ones.subarray(1, 3)))).toEqual([255, 255]);
  expect(Array.from(decodeIntegers("I8", ones.subarray(1, 3)))).toEqual([-1, -1]);
  expect(Array.from(decodeIntegers("U16", ones.subarray(1, 3)))).toEqual([65535]);
  expect(Array.from(decodeIntegers("I16", ones.subarray(1, 3)))).toEqual([-1]);
  expect(Array.from(decodeIntegers("U32", ones.subarray(1, 5)))).toEqual([4294967295]);
  expect(Array.from(decodeIntegers("I32", ones.subarray(1, 5)))).toEqual([-1]);
  expect(Array.from(decodeIntegers("I64", unaligned(ones)))).toEqual([-1]);
  expect(() => decodeIntegers("U64", ones)).toThrow(new RangeError("element 0 is 18446744073709551615, beyond 2^53"));
  expect(Array.from(decodeIntegers("U64", bytesOf(BigUint64Array.of(2n ** 53n - 1n))))).toEqual([2 ** 53 - 1]);
  expect(Array.from(decodeIntegers("BOOL", Uint8Array.of(0, 1, 2)))).toEqual([0, 1, 1]);
});

test("encodes floating-point bytes of every type", () => {
  const values = Float64Array.of(1, -2, 0.1);
  for (const dtype of ["F64", "F32", "F16", "BF16"] as const) {
    const decoded = decodeFloat64(dtype, encodeFloats(dtype, values));
    const precision = { F64: 0, F32: 2 ** -24, F16: 2 ** -11, BF16: 2 ** -8 }[dtype];
    for (const [i, value] of values.entries()) {
      expect(Math.abs(decoded[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * precision);
    }
  }
});

test("sorts the types into floating-point, whole and neither", () => {
  expect([isFloatDType("BF16"), isFloatDType("F8_E4M3"), isFloatDType("C64"), isFloatDType("I64")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect([isIntegerDType("BOOL"), isIntegerDType("F8_E4M3"), isIntegerDType("C64"), isIntegerDType("F16")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
