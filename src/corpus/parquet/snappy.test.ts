import { expect, test } from "vitest";
import { snappyDecompress } from "./snappy.js";

const ascii = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
const unpack = (bytes: number[], size: number) =>
  String.fromCharCode(...snappyDecompress(Uint8Array.from(bytes), size));

test("reads literals and copies of each form", () => {
  expect(unpack([3, 2 << 2, ...ascii("abc")], 3)).toBe("abc");
  // One byte of distance: 7 bytes from 3 back, which overlap what they make.
  expect(unpack([10, 2 << 2, ...ascii("abc"), ((7 - 4) << 2) | 1, 3], 10)).toBe("abcabcabca");
  // Two and four bytes of distance.
  expect(unpack([5, 2 << 2, ...ascii("abc"), ((2 - 1) << 2) | 2, 3, 0], 5)).toBe("abcab");
  expect(unpack([5, 2 << 2, ...ascii("abc"), ((2 - 1) << 2) | 3, 2, 0, 0, 0], 5)).toBe("abcbc");
  // A literal whose length is in a byte of its own.
  expect(unpack([70, 60 << 2, 69, ...ascii("x".repeat(70))], 70)).toBe("x".repeat(70));
  expect(unpack([0], 0)).toBe("");
});

test.each<[string, number[], number]>([
  ["nothing", [], 1],
  ["a literal that is cut off", [5, 4 << 2, ...ascii("abc")], 5],
  ["a copy from before the beginning", [8, 2 << 2, ...ascii("abc"), 1, 4], 8],
  ["a copy from nowhere", [8, 2 << 2, ...ascii("abc"), 1, 0], 8],
  ["more than there is room for", [3, 2 << 2, ...ascii("abc")], 2],
  ["less than was said", [3, 2 << 2, ...ascii("abc")], 4],
  ["a length of 4 GB", [3, 63 << 2, 255, 255, 255, 255, 1], 3],
])("refuses %s", (_, bytes, size) => {
  expect(() => unpack(bytes, size)).toThrow(RangeError);
});
