import type { Box } from "./points-in-box.js";

/** Height of a name's line in pixels. */
const LINE = 16;
/** Distance of a name from its point, tried in this order, and how many covered points a step further away is worth. */
const DISTANCES = [7, 20, 36];
const STEP_COST = 3;
/** In a narrower frame lines to names would cross one another: names stand beside their points or not at all. */
const NARROW = 420;
/** Directions in which a name is tried: right, left, above, below, and between them. */
const DIRECTIONS = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [0.7, -0.7],
  [-0.7, -0.7],
  [0.7, 0.7],
  [-0.7, 0.7],
] as const;

export interface LabelPlace {
  box: Box;
  /** Whether the name is so far away that a line must lead to it. */
  led: boolean;
}

/**
 * Where a name goes: inside the frame, over no other name, and over as few points as can be, near to its own point
 * rather than far; undefined where there is no room.
 * @param width of the name in pixels  @param crowd points in a box  @param taken boxes of other names and marks
 */
export function labelPlace(
  { x, y }: { x: number; y: number },
  width: number,
  frame: Box,
  taken: readonly Box[],
  crowd: (box: Box) => number,
): LabelPlace | undefined {
  let best: LabelPlace | undefined;
  let least = Number.POSITIVE_INFINITY;
  const steps = frame.right - frame.left < NARROW ? 1 : DISTANCES.length;
  for (const [step, distance] of DISTANCES.slice(0, steps).entries()) {
    for (const [across, down] of DIRECTIONS) {
      const middle = x + across * (distance + width / 2);
      const centre = y + down * (distance + LINE / 2);
      const box = {
        left: middle - width / 2,
        right: middle + width / 2,
        top: centre - LINE / 2,
        bottom: centre + LINE / 2,
      };
      if (!isInside(box, frame) || taken.some((other) => overlaps(box, other))) continue;
      const cost = crowd(box) + STEP_COST * step;
      if (cost >= least) continue;
      least = cost;
      best = { box, led: step > 0 };
    }
  }
  return best;
}

function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function isInside(box: Box, frame: Box): boolean {
  return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
}
