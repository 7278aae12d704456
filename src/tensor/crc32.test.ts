import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.js";

test("the check value of CRC-32/ISO-HDLC, and of nothing", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

test("piece by piece as in one, at any alignment", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(70), (bytes, cut) => {
      let bitwise = ~0;
      for (const byte of bytes) {
        bitwise ^= byte;
        for (let bit = 0; bit < 8; bit++) bitwise = bitwise & 1 ? (bitwise >>> 1) ^ 0xedb88320 : bitwise >>> 1;
      }
      expect(crc32(bytes)).toBe(~bitwise >>> 0);
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes));
    }),
  );
});
