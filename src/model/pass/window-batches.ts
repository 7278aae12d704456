import type { Tensors } from "../../engine/engine.js";

/** Windows of one length, side by side: token ids [count, length] row-major. */
export interface Windows {
  readonly count: number;
  readonly length: number;
  readonly tokenIds: Int32Array;
}

/** Tokens that one run of the layers takes: enough to keep matrix products efficient, few enough to stay in cache. */
const tokensPerRun = 256;

/** Groups neighbouring windows of one length, so that short ones don't run one by one. */
export async function* windowBatches(windows: AsyncIterable<Int32Array>): AsyncGenerator<Windows> {
  let group: Int32Array[] = [];
  const flush = (): Windows => {
    const length = group[0]!.length;
    const tokenIds = new Int32Array(group.length * length);
    for (const [index, window] of group.entries()) tokenIds.set(window, index * length);
    const full = { count: group.length, length, tokenIds };
    group = [];
    return full;
  };
  for await (const window of windows) {
    if (group.length > 0 && window.length !== group[0]!.length) yield flush();
    group.push(window);
    if ((group.length + 1) * window.length > tokensPerRun) yield flush();
  }
  if (group.length > 0) yield flush();
}

/** The token after each position in its window; of the last position 0, which nobody reads. */
export function followingTokens({ count, length, tokenIds }: Windows): Int32Array {
  const following = new Int32Array(count * length);
  for (let start = 0; start < following.length; start += length) {
    following.set(tokenIds.subarray(start + 1, start + length), start);
  }
  return following;
}

/** Inputs of the layers for windows. */
export function windowFeeds({ count, length, tokenIds }: Windows): Tensors {
  return {
    input_ids: { type: "int64", data: BigInt64Array.from(tokenIds, BigInt), dims: [count, length] },
    positions: { type: "int64", data: BigInt64Array.from({ length }, (_, i) => BigInt(i)), dims: [length] },
  };
}
