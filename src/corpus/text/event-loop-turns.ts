/** Who is asked to stop should hear of it within a moment; a turn itself takes up to a millisecond. */
const millisecondsBetween = 50;

/**
 * Lets others run now and then, such as who was asked to stop: work that only waits for what is there already never gives
 * them a turn.
 * @returns what is called between small pieces of the work
 */
export function eventLoopTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < millisecondsBetween) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}
