import { expect, test } from "vitest";
import type { WrittenEdit } from "../../steering/steering-run.js";
import { contextsToShow, probedPoints } from "./probed-points.js";

test("of many contexts those that stand out are shown, and an even sample of the others", () => {
  const before = Float32Array.from({ length: 20_000 }, (_, i) => 10 ** (-9 + (8 * i) / 20_000));
  const after = before.map((p) => p / 2);
  after[1234] = 0.9;
  after[4321] = 0;
  const shown = contextsToShow({ before, after }, 1000);
  expect(shown).toHaveLength(1000);
  expect(new Set(shown).size).toBe(1000);
  expect(shown).toEqual(expect.arrayContaining([1234, 4321, 19_999]));
  const plain = shown.filter((i) => i > 400 && i < 19_000);
  const steps = plain.slice(1).map((i, place) => i - plain[place]!);
  expect(Math.max(...steps)).toBeLessThan(60);
  expect(contextsToShow({ before, after }, 20_000)).toHaveLength(20_000);
  expect(contextsToShow({ before: before.subarray(0, 3), after }, 10)).toEqual([0, 1, 2]);
});

test("a word's piece is shown without a logit bias, and unsafe where it is not to move", () => {
  const token = { id: 1, text: "em" };
  const edit = { label: "em", tokens: [token], target: { scale: 0.1 } };
  const group = { probability: { before: 0.2, wanted: 0.02 }, idealBias: -2 };
  const probed = { before: new Float32Array(1), after: new Float32Array(1), worst: [] };
  const [plain, word] = probedPoints({
    plan: { edits: [edit, { ...edit, prefix: [token] }] },
    solution: { groups: [group, group] },
    probed: [probed, probed],
  } as unknown as WrittenEdit);
  expect(plain).toMatchObject({ rarer: true, inFew: false, idealBias: -2 });
  expect(word).toMatchObject({ rarer: true, inFew: true, idealBias: undefined });
});
