import { expect, test } from "vitest";
import { randomTokens } from "./random-tokens.js";

const alpha = Float64Array.from({ length: 100 }, (_, id) => ((id * 37) % 100) + 1);
const usable = Int32Array.from({ length: 100 }, (_, id) => id).filter((id) => id !== 27);

test("tokens come from their band, each once, the same for the same seed", () => {
  // Of the 100 values, the largest is that of token 27, which cannot be drawn.
  const drawn = randomTokens(alpha, usable, { begin: 10, end: 30 }, 8, 5);
  expect(alpha[27]).toBe(100);
  expect(new Set(drawn).size).toBe(8);
  for (const id of drawn) {
    expect(alpha[id]).toBeLessThanOrEqual(89);
    expect(alpha[id]).toBeGreaterThan(69);
  }
  expect(randomTokens(alpha, usable, { begin: 10, end: 30 }, 8, 5)).toEqual(drawn);
  expect(randomTokens(alpha, usable, { begin: 10, end: 30 }, 8, 6)).not.toEqual(drawn);
  expect(randomTokens(alpha, usable, { begin: 95, end: 200 }, 8, 5)).toHaveLength(4);
});
