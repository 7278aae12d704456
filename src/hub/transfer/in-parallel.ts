/**
 * Runs a task for every item, so many at a time. The first failure stops the others, and is thrown when they have ended:
 * nothing goes on in the background.
 * @param run is given a signal that is aborted by the caller's, or when another task has failed
 */
export async function inParallel<Item>(
  items: readonly Item[],
  limit: number,
  signal: AbortSignal | undefined,
  run: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const queue = items.values();
  const worker = async () => {
    try {
      for (const item of queue) {
        controller.signal.throwIfAborted();
        await run(item, controller.signal);
      }
    } catch (error) {
      // The first reason stays, and is what the other tasks fail with.
      controller.abort(error);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  controller.signal.throwIfAborted();
}
