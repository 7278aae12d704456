import type { plot } from "@observablehq/plot";

/** Draws a figure at a width in pixels. */
export type Figure = (width: number) => ReturnType<typeof plot>;

/** Looks of the lines of a grid. */
export const GRID = { stroke: "var(--grid)", strokeOpacity: 1 };
/** Looks of a figure's hover tip. */
export const TIP = { stroke: "var(--line)", lineHeight: 1.35, textPadding: 10 };

/** Least and greatest finite value of all arrays, with a little room around them. */
export function paddedDomain(...arrays: Float32Array[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const values of arrays) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return [0, 1];
  const room = (high - low || 1) * 0.03;
  return [low - room, high + room];
}
