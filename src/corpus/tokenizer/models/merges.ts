import { Refusal } from "../refusal.js";

/** Longer pieces are merged with a queue: looking through all pairs for each merge would take the square of the length. */
const shortPiece = 48;

/** Which pairs of ids merge, when and into what. */
export interface MergeTable {
  /** Place of the pair's merge in the list, the earlier the sooner; undefined if there is none. */
  rank(left: number, right: number): number | undefined;
  /** Id that the merge of a pair makes. */
  merged(left: number, right: number): number;
}

/** @param prefix that tokens have which go on a word  @throws Refusal naming a merge of tokens that are not there */
export function mergeTable(
  pairs: readonly (readonly [string, string])[],
  vocab: ReadonlyMap<string, number>,
  prefix: string,
): MergeTable {
  let span = 1;
  for (const id of vocab.values()) span = Math.max(span, id + 1);
  const ranks = new Map<number, number>();
  const results = new Int32Array(pairs.length);
  const idOf = (token: string, index: number): number => {
    const id = vocab.get(token);
    if (id !== undefined) return id;
    throw new Refusal(
      `model.merges.${index}`,
      `needs the token ${JSON.stringify(token.slice(0, 40))}, which the vocabulary lacks`,
    );
  };
  for (const [index, [left, right]] of pairs.entries()) {
    const key = idOf(left, index) * span + idOf(right, index);
    results[index] = idOf(left + right.slice(prefix.length), index);
    ranks.set(key, index);
  }
  return {
    rank: (left, right) => ranks.get(left * span + right),
    merged: (left, right) => results[ranks.get(left * span + right)!]!,
  };
}

/** Merges neighbours until none of the pairs left is in the table: the lowest rank first, of equal ones the leftmost. */
export function mergeAll(ids: number[], merges: MergeTable): number[] {
  return ids.length <= shortPiece ? mergeShort(ids, merges) : mergeLong(ids, merges);
}

function mergeShort(ids: number[], { rank, merged }: MergeTable): number[] {
  for (;;) {
    let best = Number.POSITIVE_INFINITY;
    let place = -1;
    for (let i = 0; i + 1 < ids.length; i++) {
      const found = rank(ids[i]!, ids[i + 1]!);
      if (found === undefined || found >= best) continue;
      best = found;
      place = i;
    }
    if (place < 0) return ids;
    ids.splice(place, 2, merged(ids[place]!, ids[place + 1]!));
  }
}

/** The same with a queue of the pairs, and the ids in a list whose links skip what was merged away. */
function mergeLong(ids: number[], merges: MergeTable): number[] {
  const count = ids.length;
  const next = Int32Array.from({ length: count }, (_, index) => index + 1);
  const previous = Int32Array.from({ length: count }, (_, index) => index - 1);
  const current = Int32Array.from(ids);
  const queue: number[] = [];
  // One number for a rank and a place: ordered as they are.
  const offer = (place: number): void => {
    const following = next[place]!;
    const rank = following < count ? merges.rank(current[place]!, current[following]!) : undefined;
    if (rank !== undefined) push(queue, rank * count + place);
  };
  for (let place = 0; place < count; place++) offer(place);
  while (queue.length > 0) {
    const first = pop(queue);
    const place = first % count;
    const rank = Math.floor(first / count);
    const following = next[place]!;
    // What was queued before its neighbours changed is no pair any more.
    if (current[place] === gone || following >= count) continue;
    if (merges.rank(current[place]!, current[following]!) !== rank) continue;
    current[place] = merges.merged(current[place]!, current[following]!);
    current[following] = gone;
    next[place] = next[following]!;
    if (next[place]! < count) previous[next[place]!] = place;
    if (previous[place]! >= 0) offer(previous[place]!);
    offer(place);
  }
  return Array.from(current).filter((id) => id !== gone);
}

const gone = -1;

/** Adds to a heap, the least first. */
function push(heap: number[], value: number): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

/** Takes the least out of a heap that is not empty. */
function pop(heap: number[]): number {
  const least = heap[0]!;
  const value = heap.pop()!;
  if (heap.length === 0) return least;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
  return least;
}
