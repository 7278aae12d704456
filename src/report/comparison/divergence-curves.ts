import { LEAST_DIVERGENCE } from "../page/divergence-text.js";

const BINS_PER_DECADE = 5;
const CURVE_POINTS = 240;

/** Contexts whose divergence lies from `from` to below `to`, as a share of all. */
export interface DivergenceBin {
  from: number;
  to: number;
  share: number;
}

/** How the divergences are spread, in bins that are equally wide on a logarithmic scale; what is below the least is left out. */
export function divergenceBins(values: Float32Array): DivergenceBin[] {
  const shares = new Map<number, number>();
  for (const value of values) {
    if (!(value >= LEAST_DIVERGENCE)) continue;
    const bin = Math.floor(Math.log10(value) * BINS_PER_DECADE);
    shares.set(bin, (shares.get(bin) ?? 0) + 1 / values.length);
  }
  if (shares.size === 0) return [];
  const first = Math.min(...shares.keys());
  const edge = (bin: number) => 10 ** (bin / BINS_PER_DECADE);
  return Array.from({ length: Math.max(...shares.keys()) - first + 1 }, (_, i) => ({
    from: edge(first + i),
    to: edge(first + i + 1),
    share: shares.get(first + i) ?? 0,
  }));
}

/** A share of the contexts, and what their divergences are at least. */
export interface ExceedancePoint {
  share: number;
  value: number;
}

/**
 * The divergence that one context in all, one in half as many, and so on, reaches or passes: exact order statistics,
 * at ranks in equal proportions, largest first.
 */
export function exceedance(values: Float32Array): ExceedancePoint[] {
  const falling = values.slice().sort().reverse();
  const step = Math.max(1, falling.length) ** (1 / CURVE_POINTS);
  const points: ExceedancePoint[] = [];
  for (let rank = 1; rank <= falling.length; rank = Math.max(rank + 1, Math.round(rank * step))) {
    const value = falling[rank - 1]!;
    if (!(value >= LEAST_DIVERGENCE)) break;
    points.push({ share: rank / falling.length, value });
  }
  return points;
}
