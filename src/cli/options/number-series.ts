import { InvalidArgumentError } from "commander";

/** More points than this are a mistake of the range. */
const mostPoints = 100;

/**
 * Reads numbers above 0 from an option: `0.1,0.5,2`, or `0.01..100`, which is both ends and the numbers between that begin
 * with one of the digits.
 * @throws InvalidArgumentError, which commander turns into bad usage
 */
export function numberSeries(digits: readonly number[]): (text: string) => number[] {
  return (text) => {
    const range = /^([^.,]*\.?[^.,]*)\.\.([^,]*)$/.exec(text);
    const numbers = range ? between(positive(range[1]!), positive(range[2]!), digits) : text.split(",").map(positive);
    const distinct = [...new Set(numbers)].sort((a, b) => a - b);
    if (distinct.length > mostPoints) throw new InvalidArgumentError(`more than ${mostPoints} numbers are too many.`);
    return distinct;
  };
}

/** The same for numbers of tokens. */
export function countSeries(text: string): number[] {
  const counts = numberSeries([1, 2, 5])(text.replaceAll("_", ""));
  if (!counts.every(Number.isSafeInteger)) throw new InvalidArgumentError("whole numbers are wanted.");
  return counts;
}

function between(from: number, to: number, digits: readonly number[]): number[] {
  if (!(from < to)) throw new InvalidArgumentError("the range ends before it begins.");
  const inside: number[] = [];
  for (let exponent = Math.floor(Math.log10(from)); exponent <= Math.log10(to); exponent++) {
    // Read from its digits: a product of powers of ten would not be the number that people mean.
    inside.push(...digits.map((digit) => Number(`${digit}e${exponent}`)));
  }
  return [from, ...inside.filter((value) => value > from && value < to), to];
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError("numbers above 0 are wanted, as 0.1,0.5,2 or 0.01..100.");
  }
  return value;
}
