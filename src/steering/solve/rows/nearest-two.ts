/** A move that can be made, and what it adds to a sum. */
export interface Move {
  /** What is moved: two moves of one thing exclude one another. */
  readonly at: number;
  readonly effect: number;
}

/**
 * The two moves, of different things, whose effects together are nearest to an aim; undefined where zero, no move, is nearer.
 * Takes O(n log n): two ends of the sorted list move towards one another.
 */
export function nearestTwo<Of extends Move>(moves: readonly Of[], aim: number): readonly [Of, Of] | undefined {
  const sorted = [...moves].sort((a, b) => a.effect - b.effect);
  let best: readonly [Of, Of] | undefined;
  let error = Math.abs(aim);
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const [a, b] = [sorted[low]!, sorted[high]!];
    const sum = a.effect + b.effect;
    if (a.at !== b.at && Math.abs(sum - aim) < error) [best, error] = [[a, b], Math.abs(sum - aim)];
    if (sum < aim) low++;
    else high--;
  }
  return best;
}
