import { runInNewContext } from "node:vm";
import { InputError } from "../../errors.js";

/** Patterns that are any use match a vocabulary of 250,000 tokens in well under a second. */
const maxMilliseconds = 10_000;

/**
 * Which texts a pattern matches.
 * @throws InputError if it takes too long: some patterns try every way of splitting a text
 */
export function matchTexts(
  pattern: RegExp,
  texts: readonly string[],
  milliseconds = maxMilliseconds,
): readonly boolean[] {
  const match = () => texts.map((text) => pattern.test(text));
  try {
    // Nothing is run that was not written here; only this function can be stopped while it runs.
    return runInNewContext("match()", { match }, { timeout: milliseconds });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new InputError(
      `token ${JSON.stringify(String(pattern))}`,
      `takes more than ${milliseconds / 1000} seconds to match; write it without repeats inside repeats`,
    );
  }
}
