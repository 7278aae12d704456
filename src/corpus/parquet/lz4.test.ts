import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hadoopLz4Decompress, lz4Decompress } from "./lz4.js";

const folder = "test/goldens/text-formats";
const block = new Uint8Array(readFileSync(`${folder}/block.lz4`));
const text = readFileSync("test/goldens/tiny-books/check.txt", "utf8").slice(0, 3000);
const whole = new TextEncoder().encode(text);

/** A block as Hadoop frames it. */
function framed(size: number, bytes: Uint8Array): number[] {
  const sizes = new DataView(new ArrayBuffer(8));
  sizes.setUint32(0, size);
  sizes.setUint32(4, bytes.length);
  return [...new Uint8Array(sizes.buffer), ...bytes];
}

test("a block that Arrow wrote, bare and framed, once and several times", () => {
  expect(lz4Decompress(block, whole.length)).toEqual(whole);
  expect(hadoopLz4Decompress(block, whole.length)).toEqual(whole);
  const frame = framed(whole.length, block);
  expect(hadoopLz4Decompress(Uint8Array.from(frame), whole.length)).toEqual(whole);
  const twice = hadoopLz4Decompress(Uint8Array.from([...frame, ...frame]), 2 * whole.length);
  expect(twice).toEqual(Uint8Array.from([...whole, ...whole]));
});

test("matches that repeat themselves, long lengths, no match at the end", () => {
  // "ab", 2 back for 4 + 15 + 255 + 1 bytes; then 16 literals.
  const literals = Array.from({ length: 16 }, (_, i) => 65 + i);
  const bytes = Uint8Array.from([0x2f, 97, 98, 2, 0, 255, 1, 0xf0, 1, ...literals]);
  const wanted = `${"ab".repeat(139).slice(0, 277)}${String.fromCharCode(...literals)}`;
  expect(new TextDecoder().decode(lz4Decompress(bytes, wanted.length))).toBe(wanted);
  expect(lz4Decompress(Uint8Array.of(0), 0).length).toBe(0);
});

test.each<[string, number[], number]>([
  ["a distance before the start", [0x10, 97, 2, 0], 5],
  ["a distance of nothing", [0x10, 97, 0, 0], 5],
  ["more than the size", [0x1f, 97, 1, 0, 0], 10],
  ["less than the size", [0x10, 97], 2],
  ["literals beyond the end", [0x50, 97], 5],
  ["a length that does not end", [0xf0, 255, 255], 600],
])("refuses %s", (_, bytes, size) => {
  expect(() => lz4Decompress(Uint8Array.from(bytes), size)).toThrow(RangeError);
});

test("any bytes give as many as are asked for, or a RangeError", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.nat(block.length).map((end) => block.subarray(0, end)),
  );
  fc.assert(
    fc.property(bytes, fc.nat(300), fc.constantFrom(lz4Decompress, hadoopLz4Decompress), (input, size, decompress) => {
      try {
        expect(decompress(input, size).length).toBe(size);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 300 },
  );
});
