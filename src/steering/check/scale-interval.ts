import { type Random, seededRandom } from "../../linalg/random.js";
import type { Interval } from "../../measures/interval.js";

const draws = 1000;
const level = 0.95;

/**
 * Percentile bootstrap intervals of ratios of sums, over windows: contexts of one window are not independent.
 * @param after, before sums over each window of each of `count` groups, [windows, count]
 */
export function scaleIntervals(
  after: ArrayLike<number>,
  before: ArrayLike<number>,
  count: number,
  seed: number,
): Interval[] {
  const windows = after.length / count;
  const random: Random = seededRandom(seed);
  const ratios = Array.from({ length: count }, () => new Float64Array(draws));
  const [above, below] = [new Float64Array(count), new Float64Array(count)];
  for (let draw = 0; draw < draws; draw++) {
    above.fill(0);
    below.fill(0);
    for (let i = 0; i < windows; i++) {
      const start = Math.floor(random() * windows) * count;
      for (let g = 0; g < count; g++) {
        above[g]! += after[start + g]!;
        below[g]! += before[start + g]!;
      }
    }
    for (let g = 0; g < count; g++) ratios[g]![draw] = above[g]! / below[g]!;
  }
  const place = (share: number) => Math.round(share * (draws - 1));
  return ratios.map((ratio) => {
    ratio.sort();
    return { low: ratio[place((1 - level) / 2)]!, high: ratio[place((1 + level) / 2)]! };
  });
}
