import { expect, test } from "vitest";
import { wantedProbabilities } from "./targets.js";

const group = (target: Parameters<typeof wantedProbabilities>[0][number]["target"]) => ({ tokens: [7], target });

test("factors, log-odds and probabilities", () => {
  const wanted = wantedProbabilities(
    [group({ scale: 0.5 }), group({ logOdds: Math.log(3) }), group({ probability: 0.25 })],
    [0.1, 0.1, 0.1],
  );
  for (const [g, value] of [0.05, 0.25, 0.25].entries()) expect(wanted[g]).toBeCloseTo(value, 15);
});

test.each([
  [group({ logOdds: 800 }), /add up to 1; they must stay below 1/],
  [group({ scale: 10 }), /add up to 1;/],
  [group({ logOdds: -800 }), /token ids 7 would get a mean probability of 0\.00; 1e-38 is the least/],
  [group({ scale: 1e-320 }), /is the least/],
])("%j of a tenth is refused", (asked, message) => {
  expect(() => wantedProbabilities([asked], [0.1])).toThrow(message);
});
