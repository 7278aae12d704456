import fc from "fast-check";
import { expect, test } from "vitest";
import { packFloat32, packInt32, quantise, unpackFloat32, unpackInt32, unquantise } from "./packed-numbers.js";

test("numbers come back as they went in", () => {
  fc.assert(
    fc.property(fc.float32Array({ maxLength: 50 }), fc.int32Array({ maxLength: 50 }), (floats, ints) => {
      expect(unpackFloat32(packFloat32(floats))).toEqual(floats);
      expect(unpackInt32(packInt32(ints))).toEqual(ints);
    }),
  );
  const long = Float32Array.from({ length: 20_001 }, (_, i) => i / 7);
  expect(unpackFloat32(packFloat32(long))).toEqual(long);
});

test("quantised numbers are off by half a level at most", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { maxLength: 50 }), (values) => {
      const quantised = quantise(values);
      const half = (quantised.high - quantised.low) / 131_070;
      for (const [i, value] of unquantise(quantised).entries()) {
        expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(half + 1e-4);
      }
    }),
  );
});

test("what is not finite does not spoil the others", () => {
  const back = unquantise(quantise([Number.NaN, 1, 2, Number.POSITIVE_INFINITY, 3]));
  expect([back[1], back[2], back[4]].map((value) => Number(value?.toFixed(3)))).toEqual([1, 2, 3]);
});
