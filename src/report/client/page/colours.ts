import { type ScaleOptions, scale } from "@observablehq/plot";

/** Steps of a colour ramp: finer ones can't be told apart. */
export const SHADES = 32;

export type Theme = "light" | "dark";

export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** From sparse to crowded: away from the page's own colour, so that every point can be seen. */
export function densityShades(theme: Theme): string[] {
  const range =
    theme === "light" ? ["#8db9e6", "#3f7fc4", "#1c4f8f", "#0d2a52"] : ["#34618f", "#4d8bc9", "#8fc1f5", "#e3f0ff"];
  return shades({ type: "linear", domain: [0, 1 / 3, 2 / 3, 1], range }, 0, 1);
}

/**
 * From rare to likely: viridis, which is even to the eye and safe for the colour-blind, without the end that the page's
 * colour swallows, and with the likely end the one that stands out.
 */
export function percentileShades(theme: Theme): string[] {
  const viridis = { type: "linear", domain: [0, 1], scheme: "viridis" } as const;
  return theme === "light" ? shades(viridis, 0.9, 0) : shades(viridis, 0.14, 1);
}

function shades(color: ScaleOptions, from: number, to: number): string[] {
  const ramp = scale({ color });
  return Array.from({ length: SHADES }, (_, i) => String(ramp.apply(from + ((to - from) * i) / (SHADES - 1))));
}
