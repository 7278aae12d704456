import { expect, test } from "vitest";
import { byteSize } from "./memory-options.js";

test.each([
  ["8GB", 8e9],
  ["1.5 gb", 1.5e9],
  ["800M", 8e8],
  ["2GiB", 2 ** 31],
  ["64kib", 65_536],
  ["1000", 1000],
])("%s are %d bytes", (text, bytes) => expect(byteSize(text)).toBe(bytes));

test.each(["", "GB", "-1GB", "0", "1e9", "8 GB of it", "1PB", "NaN", "Infinity"])("%j is no size", (text) => {
  expect(() => byteSize(text)).toThrow("a size like 8GB");
});
