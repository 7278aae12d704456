import fc from "fast-check";
import { expect, test } from "vitest";
import { threshold } from "../rows/nearest-rows.js";
import { divergence, softplus, toShares } from "./shares.js";

const logit = fc.double({ min: -60, max: 60, noNaN: true });
const inside = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });

test("shares and what is left of them add up to 1, and keep the odds", () => {
  fc.assert(
    fc.property(fc.array(logit, { minLength: 1, maxLength: 6 }), logit, (logits, rest) => {
      const shares = toShares(Float64Array.from(logits), Float64Array.of(rest));
      const left = 1 / (1 + logits.reduce((sum, z) => sum + Math.exp(z - rest), 0));
      expect(shares.reduce((sum, share) => sum + share, left)).toBeCloseTo(1, 12);
      const odds = Math.log(shares[0]! / shares.at(-1)!);
      if (shares[0]! > 0 && shares.at(-1)! > 0) expect(odds).toBeCloseTo(logits[0]! - logits.at(-1)!, 9);
    }),
  );
});

test("softplus is ln(1 + exp), and its mirror image differs by its argument", () => {
  fc.assert(
    fc.property(logit, (s) => {
      expect(softplus(s) - softplus(-s)).toBeCloseTo(s, 12);
      expect(Math.abs(softplus(s) - Math.log1p(Math.exp(s)))).toBeLessThanOrEqual(1e-13 * (1 + Math.abs(s)));
    }),
  );
});

test("a divergence is zero between equals and above zero otherwise", () => {
  fc.assert(
    fc.property(inside, inside, (q, p) => {
      expect(divergence(q, q)).toBeCloseTo(0, 15);
      if (Math.abs(q - p) > 1e-3) expect(divergence(q, p)).toBeGreaterThan(0);
    }),
  );
});

test("the weights above a threshold hold the share asked for, and hardly more than are needed", () => {
  fc.assert(
    fc.property(fc.array(inside, { minLength: 1, maxLength: 50 }), inside, (list, share) => {
      const weights = Float64Array.from(list);
      const least = threshold(weights, share);
      const total = weights.reduce((sum, value) => sum + value, 0);
      const above = (limit: number) => weights.filter((value) => value >= limit).reduce((sum, value) => sum + value, 0);
      expect(above(least)).toBeGreaterThanOrEqual(share * total * (1 - 1e-12));
      // Without those in the last bin the share is not reached.
      expect(above(least * 2 ** 0.25 * (1 + 1e-12))).toBeLessThan(share * total * (1 + 1e-12));
    }),
  );
});
