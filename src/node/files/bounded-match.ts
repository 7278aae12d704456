import { type Context, createContext, Script } from "node:vm";
import { isMainThread } from "node:worker_threads";
import { InputError } from "../../errors.js";

/** Patterns that are any use match a vocabulary of 250,000 tokens in well under a second. */
const maxMilliseconds = 10_000;

/** Nothing is run that was not written here; only what is called from a script can be stopped while it runs. */
const script = new Script("work()");
/** One for all: another takes ten times as long as what is run in it. */
let context: Context | undefined;

/** Work that takes longer seems to have no end: from then on SIGTERM is not kept waiting for it. */
const patience = 250;

/**
 * Runs work that may never end by itself, such as a pattern's that tries every way of splitting a text. It is run again where it
 * takes long, so it must have no effects of its own. Signals are answered meanwhile: SIGINT ends the work and is passed on, SIGTERM
 * does what it does to a process that has not asked for it.
 * @returns what it returns; undefined if it took longer
 */
export function endedAfter<Result>(milliseconds: number, work: () => Result): { result: Result } | undefined {
  const quick = milliseconds > patience ? attempt(patience, work) : undefined;
  if (quick !== undefined) return quick;
  const listeners = isMainThread ? process.listeners("SIGTERM") : [];
  for (const listener of listeners) process.off("SIGTERM", listener);
  try {
    return attempt(milliseconds, work);
  } finally {
    for (const listener of listeners) process.on("SIGTERM", listener);
  }
}

function attempt<Result>(milliseconds: number, work: () => Result): { result: Result } | undefined {
  context ??= createContext({});
  context.work = work;
  try {
    const limits = { timeout: Math.max(1, Math.ceil(milliseconds)), breakOnSigint: isMainThread };
    return { result: script.runInContext(context, limits) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    if (code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") passOnInterrupt();
    throw error;
  } finally {
    context.work = undefined;
  }
}

/** To who waits for it, before the error is handled; without anyone the process ends as it would have. */
function passOnInterrupt(): void {
  if (!process.emit("SIGINT", "SIGINT")) process.kill(process.pid, "SIGINT");
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
