import { describe, expect, test } from "vitest";
import { blend, contrast, distances } from "../../../test/support/colour-distance.js";
import { DARK, LIGHT, NAME_PLATE } from "./style.js";

const themes = [
  ["light", colours(LIGHT)],
  ["dark", colours(DARK)],
] as const;
const series = ["accent", "warm", "neutral", "green", "violet", "gold"];

function colours(variables: string): (name: string) => string {
  const found = new Map([...variables.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]));
  return (name) => found.get(name)!;
}

test("distances and contrasts are what others compute", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 9);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  expect(distances("#000000", "#ffffff").full).toBeCloseTo(1, 4);
  // Red and green are 0.52 apart, and near one another to those who lack a cone for one of them.
  const { full, protanopia, deuteranopia } = distances("#c00000", "#5a6e00");
  expect(full!).toBeGreaterThan(0.2);
  expect(Math.min(protanopia!, deuteranopia!)).toBeLessThan(full! / 2);
});

describe.each(themes)("on a %s page", (_, colour) => {
  test("text can be read on everything that it stands on", () => {
    for (const ground of ["ground", "surface"]) {
      for (const text of ["ink", "muted", "accent", "warm"]) {
        expect([text, ground, contrast(colour(text), colour(ground)) >= 4.5]).toEqual([text, ground, true]);
      }
    }
    expect(contrast(colour("ink"), colour("accent-soft"))).toBeGreaterThan(7);
  });

  test("a name over points can be read whatever colour they have", () => {
    for (const point of ["#000000", "#ffffff"]) {
      const behind = blend(colour("ground"), point, NAME_PLATE);
      expect(contrast(colour("ink"), behind)).toBeGreaterThan(7);
      expect(contrast(colour("warm"), behind)).toBeGreaterThan(3.5);
    }
  });

  test("series stand out from the page", () => {
    for (const name of series)
      for (const ground of ["ground", "surface"])
        expect([name, contrast(colour(name), colour(ground)) >= 3]).toEqual([name, true]);
  });

  test("any two series can be told apart, by the colour-blind too", () => {
    const near = series.flatMap((a, i) =>
      series.slice(0, i).flatMap((b) =>
        Object.entries(distances(colour(a), colour(b)))
          .filter(([, distance]) => distance < 0.1)
          .map(([vision, distance]) => `${a} and ${b} to ${vision}: ${distance.toFixed(3)}`),
      ),
    );
    expect(near).toEqual([]);
  });

  test("neighbours of a ramp can be told apart", () => {
    for (const k of [1, 2, 3]) {
      const apart = Math.min(...Object.values(distances(colour(`mass-${k - 1}`), colour(`mass-${k}`))));
      expect(apart).toBeGreaterThan(0.1);
    }
  });
});
