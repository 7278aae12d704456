import { InvalidArgumentError } from "commander";

/*
 * Numbers that options take. What cannot be read is an InvalidArgumentError, which commander turns into bad usage (exit
 * code 2) naming the option.
 */

/** Any finite number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number is wanted.");
  return value;
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError("a number above 0 is wanted.");
  return value;
}

/** A number from 0 up. */
export function nonNegativeNumber(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError("a number from 0 up is wanted.");
  return value;
}

/** A share that may be nothing, but not all. */
export function fraction(text: string): number {
  const value = number(text);
  if (value < 0 || value >= 1) throw new InvalidArgumentError("a number from 0 to below 1 is wanted.");
  return value;
}

/** A share that may be all, but not nothing. */
export function positiveShare(text: string): number {
  const value = number(text);
  if (value <= 0 || value > 1) throw new InvalidArgumentError("a number above 0, at most 1, is wanted.");
  return value;
}

/** A whole number from 0 up: digits and _ only. */
export function wholeNumber(text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (!/^[0-9_]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("a whole number is wanted.");
  }
  return value;
}

/** A whole number above 0. */
export function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("a whole number above 0 is wanted.");
  return value;
}

/** The same up to a bound. @param refusal said of more */
export function integerUpTo(most: number, read: (text: string) => number, refusal: string): (text: string) => number {
  return (text) => {
    const value = read(text);
    if (value > most) throw new InvalidArgumentError(refusal);
    return value;
  };
}
