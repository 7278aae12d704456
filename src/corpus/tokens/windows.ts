import { InputError } from "../../errors.js";

export interface WindowOptions {
  /** Tokens per window. */
  contextLength: number;
  /** Stop after exactly this many tokens, begin-of-text tokens included. Default: at the end of the text. */
  maxTokens?: number | undefined;
  /** Ids that every window starts with; they count as its tokens. Default: none. */
  beginOfText?: readonly number[] | undefined;
  /** Whether other windows of the text came before: then one token is enough. */
  continued?: boolean | undefined;
  /** What the text is called in messages. Default corpus. */
  name?: string | undefined;
}

/**
 * Cuts a stream of token ids into independent windows of `contextLength` tokens, one after the other; the last one has what
 * is left.
 * @throws InputError if the text has fewer than two tokens
 */
export async function* windows(
  ids: AsyncIterable<ArrayLike<number>>,
  {
    contextLength,
    maxTokens = Number.POSITIVE_INFINITY,
    beginOfText = [],
    continued = false,
    name = "corpus",
  }: WindowOptions,
): AsyncGenerator<Int32Array> {
  const first = beginOfText.length;
  if (!Number.isInteger(contextLength) || contextLength < 1 + first) {
    throw new InputError("contextLength", `is ${contextLength}; at least ${1 + first} is wanted`);
  }
  if (maxTokens !== Number.POSITIVE_INFINITY && !(Number.isInteger(maxTokens) && maxTokens > 0)) {
    throw new InputError("tokens", `is ${maxTokens}; a positive integer is wanted`);
  }
  const newWindow = () => {
    const window = new Int32Array(contextLength);
    window.set(beginOfText);
    return window;
  };
  let left = maxTokens;
  let total = 0;
  let window = newWindow();
  let filled = first;
  for await (const part of ids) {
    for (let i = 0; i < part.length; i++) {
      window[filled++] = part[i]!;
      total++;
      const room = Math.min(contextLength, left);
      if (filled < room) continue;
      yield window.subarray(0, room);
      left -= room;
      if (left === 0) return;
      window = newWindow();
      filled = first;
    }
  }
  if (total < 2 && !continued) {
    throw new InputError(name, `has ${total === 1 ? "1 token" : `${total} tokens`}; at least two are needed`);
  }
  if (filled > first) yield window.subarray(0, filled);
}
