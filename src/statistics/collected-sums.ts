import { clearStatistics, emptyStatistics, type HeadStatistics, mergeInto } from "./head-statistics.js";

/**
 * Windows whose sums are formed together, in plain float64 and in the windows' order: those of one block begin at a
 * multiple of 64 in the text.
 */
export const blockWindows = 64;

/** What a pass over a text has summed so far: all that it needs to go on, in another process too. */
export interface CollectedSums {
  /** Index in the text of the window that comes next. */
  nextWindow: number;
  /** Sums of the blocks of 64 windows that are complete. */
  statistics: HeadStatistics;
  /** Sums of the windows after them. */
  block: HeadStatistics;
}

/** Sums over nothing yet. @param firstWindow index in the text of the window to begin with */
export function noSums(
  head: { vocabSize: number; hiddenSize: number; transformed: boolean },
  firstWindow: number,
): CollectedSums {
  const empty = () => emptyStatistics(head.vocabSize, head.hiddenSize, head.transformed);
  return { nextWindow: firstWindow, statistics: empty(), block: empty() };
}

/** Counts a window whose sums are in `block` now; the last one of a block ends it. */
export function endWindow(sums: CollectedSums): void {
  sums.block.windows++;
  sums.nextWindow++;
  if (sums.nextWindow % blockWindows === 0) endBlock(sums);
}

/** Contexts summed so far. */
export function contextsOf({ statistics, block }: CollectedSums): number {
  return statistics.contexts + block.contexts;
}

/** The sums over all windows. Nothing can be added to what was collected then. */
export function finished(sums: CollectedSums): HeadStatistics {
  endBlock(sums);
  return sums.statistics;
}

function endBlock({ statistics, block }: CollectedSums): void {
  mergeInto(statistics, block);
  clearStatistics(block);
}
