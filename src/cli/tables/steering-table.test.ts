import { describe, expect, test } from "vitest";
import { plausibleSteering } from "../../../test/support/plausible-steering.js";
import type { EditedRun } from "../../steering/steering-run.js";
import { steeringTable } from "./steering-table.js";

const run = plausibleSteering([" sea", " the"], 2) as EditedRun;
const linesOf = (edit: Partial<EditedRun["edit"]>) =>
  steeringTable({ ...run, edit: { ...run.edit, ...edit } }, "out").split("\n");

describe("what else changed", () => {
  const checkWith = (others: number) => {
    const spread = { mean: others / 2, percentile95: others, max: others };
    const { fit } = run.edit.check;
    return { check: { fit: { ...fit!, collateral: { ...fit!.collateral, klOthers: spread, jsOthers: spread } } } };
  };

  test("is said of the edit itself and of all others, each by itself", () => {
    const lines = linesOf(checkWith(0));
    const at = lines.indexOf("the edit itself       KL          JS          top-1    perplexity");
    expect(lines[at + 1]).toBe("  fitting text        0.011       0.003       96.00%   76.500 -> 77.200");
    expect(lines[at + 3]).toBe("all other tokens      keep their proportions to one another in every context");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("is measured of the others too where they do not keep their proportions", () => {
    const lines = linesOf(checkWith(0.25));
    const at = lines.indexOf("all other tokens      KL          JS");
    expect(lines[at + 1]).toBe("  fitting text        0.125       0.125");
  });
});

test("what is unsafe is said before all else, and once", () => {
  const [first, second] = run.edit.probed;
  const probed = [{ ...first!, unsafe: Int32Array.of(500) }, second!];
  const warnings = ["lambda was lowered"];
  const solution = { ...run.edit.solution, warnings };
  const lines = linesOf({ probed, solution });
  expect(lines[0]).toMatch(/^warning: " sea=x0\.5" is unsafe: in 1 of 1000 contexts that no text holds/);
  expect(lines.filter((line) => line.includes("is unsafe"))).toHaveLength(1);
  expect(lines).toContain("warning: lambda was lowered");
});

test.each([
  [3e-5, undefined, ["  off by 0.003% on the fitting text: the weights' own rounding (F16)"]],
  [4e-7, undefined, []],
  [0.02, "too far", []],
])("a rounding of %d is said as such where it is all that is amiss", (rounding, shortfall, wanted) => {
  const groups = run.edit.solution.groups.map((group) => ({ ...group, rounding, shortfall }));
  const lines = linesOf({ solution: { ...run.edit.solution, groups: groups.slice(0, 1) } });
  expect(lines.filter((line) => line.includes("rounding"))).toEqual(wanted);
  expect(lines.includes("  too far")).toBe(shortfall !== undefined);
});
