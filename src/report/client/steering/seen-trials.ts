import type { CheckText } from "../../../steering/check/check-texts.js";
import { significant } from "../../page/numbers.js";
import {
  bandColours,
  type EffectPoint,
  type ExperimentsPageData,
  type TrialPoint,
} from "../../steering/steering-trials.js";

/** Misses below this are a hit. */
export const LEAST_MISS = 1e-6;

/** How the page calls the paper's own direction. */
export const PAPER = "paper’s encoding";

/** A trial with what it did on one text. */
export type Seen = TrialPoint & EffectPoint & { name: string; colour: string; miss: number; idealMiss: number };

/** The trials that were measured on a text. */
export function seenOn(data: ExperimentsPageData, points: readonly TrialPoint[], where: CheckText): Seen[] {
  return points.flatMap((point) => {
    const effect = point.effects[where];
    if (effect === undefined || !(effect.actual > 0)) return [];
    const missOf = (actual: number) => Math.max(LEAST_MISS, Math.abs(Math.log(actual / point.wanted)));
    return {
      ...point,
      ...effect,
      name: data.names[point.group]!,
      colour: bandColours[point.band ?? 0]!,
      miss: missOf(effect.actual),
      idealMiss: missOf(effect.ideal),
    };
  });
}

/** What the tip of a trial says. */
export function described(seen: Seen): string {
  const { name, way, wanted, actual, low, high, ideal, kl, norm } = seen;
  return `${name} by ${way}\nwanted × ${significant(wanted)}, actual × ${significant(actual)}\n95% interval ${significant(low)} to ${significant(high)}\nlogit bias × ${significant(ideal)}\nKL ${significant(kl)}, |x| ${significant(norm)}`;
}

/** Misses at one value of what is varied: medians over the edits. */
export interface Median {
  at: number;
  miss: number;
  idealMiss: number;
  edits: number;
}

/** @param keyOf what is varied */
export function medians(points: readonly Seen[], keyOf: (point: Seen) => number): Median[] {
  const keys = [...new Set(points.map(keyOf))].sort((a, b) => a - b);
  return keys.map((at) => {
    const own = points.filter((point) => keyOf(point) === at);
    const miss = median(own.map((point) => point.miss));
    return { at, miss, idealMiss: median(own.map(({ idealMiss }) => idealMiss)), edits: own.length };
  });
}

/** Of an even number, the mean of the middle two. */
export function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}
