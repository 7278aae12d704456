/**
 * Adds numbers to sums that are held in two parts each, the float64 nearest to the sum and what is left of it: about 32
 * digits together (two-sum: Knuth, The Art of Computer Programming 2, 4.2.2). So the order of the additions, and which sums
 * were formed apart and then joined, changes what is left, but hardly ever the nearest float64: only where the sum lies
 * within 1e-31 of itself of the middle between two of them.
 * @param high,low both parts of the sums, changed in place
 * @param otherLow what is left of the numbers, where they are such sums themselves
 */
export function addCompensated(
  high: Float64Array,
  low: Float64Array,
  other: Float64Array,
  otherLow: Float64Array | undefined,
): void {
  for (let i = 0; i < high.length; i++) {
    const a = high[i]!;
    const b = other[i]!;
    const sum = a + b;
    const bRounded = sum - a;
    const lost = a - (sum - bRounded) + (b - bRounded);
    const rest = lost + low[i]! + (otherLow === undefined ? 0 : otherLow[i]!);
    // The parts are parted anew, so that the first is the float64 nearest to both together.
    const nearest = sum + rest;
    const restRounded = nearest - sum;
    high[i] = nearest;
    low[i] = sum - (nearest - restRounded) + (rest - restRounded);
  }
}
