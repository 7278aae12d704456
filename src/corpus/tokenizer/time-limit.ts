import { InputError } from "../../errors.js";
import type { EndedAfter } from "../../tensor/byte-source.js";
import type { TokenizerFile } from "./files/tokenizer-file.js";
import { flatten } from "./steps/step.js";

/** What a tokenizer may take at first, and for each character more: patterns that are any use take a hundredth of it. */
const grace = 2_000;
const millisecondsPerCharacter = 0.02;
/** What each text may take all the same: the process may have been asleep. */
const least = 500;

/** Runs a step on so many characters. */
export type Timed = <Result>(characters: number, work: () => Result) => Result;

/**
 * Ends a tokenizer whose patterns or tokens take ever longer. The time of all texts counts together, so that many slow ones end as well.
 * @param name the file, for the message  @param endedAfter left out, nothing is ended
 */
export function timeLimit(name: string, endedAfter: EndedAfter | undefined): Timed {
  let allowed = grace;
  return (characters, work) => {
    if (endedAfter === undefined) return work();
    allowed = Math.min(allowed + characters * millisecondsPerCharacter, grace);
    const started = performance.now();
    const done = endedAfter(allowed, work);
    allowed = Math.max(least, allowed - (performance.now() - started));
    if (done !== undefined) return done.result;
    throw new InputError(
      name,
      "has a pattern or a token that takes too long on this text: it seems to try every way of splitting it (repeats inside repeats)",
    );
  };
}

/** Tokens of so many units are the longest that a text may be walked along from each of its places. */
const longestQuick = 2 ** 10;

/** Whether a text may be compared with a token from each of its places, and far each time. */
export function hasLongTokens(tokens: Iterable<string>): boolean {
  for (const { length } of tokens) if (length > longestQuick) return true;
  return false;
}

/** Whether a tokenizer has patterns of its own, which may take any time. */
export function hasPatterns(file: TokenizerFile): boolean {
  const steps = [...flatten(file.normalizer, "normalizer"), ...flatten(file.pre_tokenizer, "pre_tokenizer")];
  return [...steps, ...flatten(file.decoder, "decoder")].some(
    ({ step: { pattern } }) => typeof pattern === "object" && pattern !== null && "Regex" in pattern,
  );
}
