import { createContext, Script } from "node:vm";
import { InputError } from "../../errors.js";

/** Patterns that are any use match a vocabulary of 250,000 tokens in well under a second. */
const maxMilliseconds = 10_000;

/** Nothing is run that was not written here; only what is called from a script can be stopped while it runs. */
const script = new Script("work()");

/**
 * Runs work that may never end by itself, such as a pattern's that tries every way of splitting a text.
 * @returns what it returns; undefined if it took longer
 */
export function endedAfter<Result>(milliseconds: number, work: () => Result): { result: Result } | undefined {
  try {
    return { result: script.runInContext(createContext({ work }), { timeout: Math.max(1, Math.ceil(milliseconds)) }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    return undefined;
  }
}

/**
 * Which texts a pattern matches.
 * @throws InputError if it takes too long: some patterns try every way of splitting a text
 */
export function matchTexts(
  pattern: RegExp,
  texts: readonly string[],
  milliseconds = maxMilliseconds,
): readonly boolean[] {
  const matched = endedAfter(milliseconds, () => texts.map((text) => pattern.test(text)));
  if (matched !== undefined) return matched.result;
  throw new InputError(
    `token ${JSON.stringify(String(pattern))}`,
    `takes more than ${milliseconds / 1000} seconds to match; write it without repeats inside repeats`,
  );
}
