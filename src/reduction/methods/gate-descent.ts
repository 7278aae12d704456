import { openProbability } from "./hard-concrete.js";

/** Gates on their way, and what Adam remembers of their gradients; all [d]. */
export interface MovingGates {
  /** log alpha. */
  readonly locations: Float64Array;
  readonly mean: Float64Array;
  readonly square: Float64Array;
}

/** Small, so that gates go by what they are worth in the mean rather than by single draws. */
const rate = 0.01;
const momentum = 0.9;
const memory = 0.99;
const tiny = 1e-12;
/** Locations stay within it: beyond, no draw would tell any more what a gate is worth. */
const furthest = 4;
/** Range of the penalty, as powers of ten, and times that it is halved. */
const decades = [-18, 18] as const;
const halvings = 60;

/**
 * One step of Adam on mean KL + penalty * sum_i P(open), with the penalty that leaves as many gates open in the mean as wanted;
 * none where fewer are open without one.
 * @param gradient of the mean KL by the locations, [d] @param step from 1
 */
export function descendOpenGates(
  { locations, mean, square }: MovingGates,
  gradient: Float64Array,
  step: number,
  wanted: number,
): void {
  for (const [i, slope] of gradient.entries()) {
    mean[i] = momentum * mean[i]! + (1 - momentum) * slope;
    square[i] = memory * square[i]! + (1 - memory) * slope ** 2;
  }
  const before = locations.slice();
  const slopes = before.map((location) => openProbability(location).slope);
  const moved = (penalty: number) =>
    before.map((location, i) => {
      const pull = mean[i]! / (1 - momentum ** step) + penalty * slopes[i]!;
      const next = location - (rate * pull) / (Math.sqrt(square[i]! / (1 - memory ** step)) + tiny);
      return Math.min(furthest, Math.max(-furthest, next));
    });
  const tooMany = (next: Float64Array) =>
    next.reduce((open, location) => open + openProbability(location).value, 0) > wanted;
  locations.set(moved(0));
  if (!tooMany(locations)) return;
  let [low, high]: [number, number] = [...decades];
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2;
    if (tooMany(moved(10 ** middle))) low = middle;
    else high = middle;
  }
  locations.set(moved(10 ** high));
}
