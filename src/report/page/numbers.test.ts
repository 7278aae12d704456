import { expect, test } from "vitest";
import {
  bytes,
  count,
  counted,
  decimal,
  duration,
  percent,
  plain,
  plainDecimal,
  probability,
  significant,
  superscript,
  times,
} from "./numbers.js";

test("shows numbers with the digits that matter", () => {
  expect([decimal(-0.6272, 3), decimal(-0.0001, 2), decimal(Number.NaN, 2)]).toEqual(["−0.627", "0.00", "–"]);
  expect([count(8192), count(Number.POSITIVE_INFINITY)]).toEqual(["8,192", "–"]);
  expect([significant(0), significant(434.16), significant(12345), significant(-2.5e-7), significant(1.5e9)]).toEqual([
    "0",
    "434",
    "12,345",
    "−2.5 × 10⁻⁷",
    "1.5 × 10⁹",
  ]);
  expect([percent(0.5), percent(0.0519), percent(0.00396), percent(1), percent(0.9276, 0)]).toEqual([
    "50.0%",
    "5.19%",
    "0.396%",
    "100%",
    "93%",
  ]);
  expect([probability(0), probability(0.0002), probability(7.2e-6)]).toEqual(["0", "0.020%", "7.2 × 10⁻⁶"]);
  expect([bytes(12), bytes(1_651_351), duration(1.31), duration(600), duration(9000)]).toEqual([
    "12 B",
    "1.65 MB",
    "1.3 s",
    "10 min",
    "2 h 30 min",
  ]);
  expect(superscript(-12)).toBe("⁻¹²");
});

test("shows a ratio as a number of times at least 1, with its direction", () => {
  const words = (ratio: number) => times(ratio, "likelier", "rarer");
  expect([21, 2.5, 1.03, 1, 0.4, 1 / 3000].map(words)).toEqual([
    "21× likelier",
    "2.5× likelier",
    "1.03× likelier",
    "equal",
    "2.5× rarer",
    "3,000× rarer",
  ]);
  expect([0, Number.NaN, Number.POSITIVE_INFINITY].map(words)).toEqual(["–", "–", "–"]);
});

test("one thing is no plural", () => {
  expect([counted(1, "context"), counted(0, "context"), counted(2000, "context")]).toEqual([
    "1 context",
    "0 contexts",
    "2,000 contexts",
  ]);
  expect([counted(1, "entry", "entries"), counted(3, "entry", "entries")]).toEqual(["1 entry", "3 entries"]);
});

test.each([
  [0, 3, "0"],
  [0.5, 4, "0.5"],
  [0.000_007_737, 4, "7.737e-6"],
  [8.078e-7, 4, "8.078e-7"],
  [-0.000_5, 2, "-5.0e-4"],
  [0.001, 3, "0.001"],
  [1234.56, 4, "1235"],
  [64_616_072_384_016.516, 3, "6.46e+13"],
  [Number.NaN, 3, "-"],
])("%d with %d digits is %s in the terminal", (value, digits, wanted) => expect(plain(value, digits)).toBe(wanted));

test("decimals of very large numbers are powers of ten", () => {
  expect(plainDecimal(12.3456, 2)).toBe("12.35");
  expect(plainDecimal(64_616_072_384_016.516, 3)).toBe("6.46e+13");
  expect(plainDecimal(Number.POSITIVE_INFINITY, 3)).toBe("-");
  expect(decimal(64_616_072_384_016.516, 1)).toBe("6.5 × 10¹³");
  expect(decimal(9_999_999.5, 1)).toBe("9999999.5");
});
