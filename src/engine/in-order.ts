/**
 * Applies `work` to each item with up to `concurrency` under way at once, and yields the results in the items' order, so
 * that sums over them come out the same however the work was spread. Stops taking items as soon as one fails.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      underWay.push(work(item));
      if (underWay.length >= concurrency) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    // Work that nobody will wait for any more must not end as an unhandled rejection.
    await Promise.allSettled(underWay);
  }
}
