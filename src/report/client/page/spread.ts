/**
 * Heights at which names are a line apart and together as near as can be to where they belong, in the given order of
 * heights. @param low, high between which all must lie, where there is room
 */
export function spread(heights: readonly number[], least: number, low: number, high: number): number[] {
  // Names that collide form a block around the mean of what they want; blocks that collide merge.
  const blocks: { sum: number; size: number }[] = [];
  const top = ({ sum, size }: { sum: number; size: number }) => {
    const wanted = sum / size - ((size - 1) * least) / 2;
    return Math.max(low, Math.min(high - (size - 1) * least, wanted));
  };
  for (const height of heights) {
    blocks.push({ sum: height, size: 1 });
    for (;;) {
      const [above, below] = blocks.slice(-2);
      if (above === undefined || below === undefined || top(above) + above.size * least <= top(below)) break;
      blocks.splice(-2, 2, { sum: above.sum + below.sum, size: above.size + below.size });
    }
  }
  return blocks.flatMap((block) => Array.from({ length: block.size }, (_, i) => top(block) + i * least));
}
