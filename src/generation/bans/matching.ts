import { InputError } from "../../errors.js";
import type { EndedAfter } from "../../tensor/byte-source.js";
import type { CompiledBan } from "./ban.js";

/** Tells what texts say that is banned. */
export interface BanMatcher {
  /**
   * Whether a text that was written says something banned.
   * @param text the prompt's and what was written after it
   * @param from characters of the prompt: a match that ends there or before is not what was written
   * @param known characters that said nothing yet when nothing followed them
   * @param whole whether nothing follows; otherwise only what no continuation can undo counts
   * @throws InputError if a pattern takes too long
   */
  says(text: string, from: number, known: number, whole: boolean): boolean;
  /**
   * The name of the first ban that a prompt says, if any; one of any text whatever is not meant.
   * @throws InputError if a pattern takes too long
   */
  saidByPrompt(text: string): string | undefined;
  /** Matches many texts within a time of their own. @throws InputError if a pattern takes too long */
  together<Result>(work: () => Result): Result;
}

/** Matches of patterns begin in so many of the last characters: each token costs the same, however long the text is. */
const lookedAt = 4096;

/**
 * Ends of patterns can depend on what follows (\b, $, (?!s)): a match is certain where it holds before each of these, and
 * before each character that the pattern names.
 */
const continuations = ["a", "A", "0", "_", " ", "\n", ".", "-", "\u00e9", "\u4e00"];

/** A pattern that is any use takes microseconds; the texts that all tokens of a vocabulary make, seconds at most. */
const maxMilliseconds = 3000;
const maxTogetherMilliseconds = 60_000;

/**
 * @throws InputError naming a ban that matches the empty text, which every text holds
 */
export function banMatcher(bans: readonly CompiledBan[], endedAfter?: EndedAfter): BanMatcher {
  /** The one that is being matched, for the message. */
  let current: CompiledBan | undefined;
  let timed = false;
  function within<Result>(milliseconds: number, work: () => Result): Result {
    if (timed || endedAfter === undefined) return work();
    timed = true;
    try {
      const ended = endedAfter(milliseconds, work);
      if (ended !== undefined) return ended.result;
    } finally {
      timed = false;
    }
    const problem = `takes more than ${milliseconds / 1000} s to match; write it without repeats inside repeats`;
    throw new InputError(current!.name, problem);
  }
  const bounded = <Result>(ban: CompiledBan, work: () => Result): Result => {
    current = ban;
    return within(maxMilliseconds, work);
  };
  const says = (ban: CompiledBan, text: string) => bounded(ban, () => isFound(ban, text, { begin: 0, from: -1 }));
  const empty = bans.find((ban) => says(ban, ""));
  if (empty !== undefined) throw new InputError(empty.name, "matches the empty text, which every text holds");
  const phrases = bans.filter(({ longest }) => longest !== undefined);
  const patterns = bans.filter(({ longest }) => longest === undefined);
  return {
    saidByPrompt: (text) =>
      bans.find((ban) => says(ban, text) && !continuations.every((character) => says(ban, character)))?.name,
    together: (work) => (patterns.length === 0 ? work() : within(maxTogetherMilliseconds, work)),
    says(text, from, known, whole) {
      const near = Math.max(0, text.length - lookedAt);
      const certain = (ban: CompiledBan) =>
        whole ||
        [...continuations, ...new Set(ban.pattern.source)].every((next) =>
          isFound(ban, text + next, { begin: near, from, within: text.length }),
        );
      return (
        phrases.some((ban) => isFound(ban, text, { begin: Math.max(0, known - ban.longest!), from })) ||
        patterns.some((ban) => bounded(ban, () => isFound(ban, text, { begin: near, from }) && certain(ban)))
      );
    },
  };
}

/** Whether a match begins at `begin` or later, and before `within`, and ends after `from`. */
function isFound(
  { pattern }: CompiledBan,
  text: string,
  { begin, from, within = Number.POSITIVE_INFINITY }: { begin: number; from: number; within?: number },
): boolean {
  pattern.lastIndex = begin;
  for (let match = pattern.exec(text); match !== null && match.index < within; match = pattern.exec(text)) {
    const end = match.index + match[0].length;
    if (end > from) return true;
    if (match[0] === "") pattern.lastIndex++;
  }
  return false;
}
