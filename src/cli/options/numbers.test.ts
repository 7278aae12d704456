import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import {
  fraction,
  integerUpTo,
  nonNegativeNumber,
  number,
  positiveInteger,
  positiveNumber,
  positiveShare,
  wholeNumber,
} from "./numbers.js";

test.each<[string, (text: string) => number, Record<string, number>, string[]]>([
  ["any", number, { "-1.5": -1.5, "1e-3": 0.001, " 2 ": 2 }, ["", " ", "NaN", "Infinity", "two", "1e999"]],
  ["positive", positiveNumber, { "0.1": 0.1, "1e-9": 1e-9 }, ["0", "-0", "-1", "x"]],
  ["from 0 up", nonNegativeNumber, { "0": 0, "0.8": 0.8 }, ["-0.1", "hot"]],
  ["a fraction", fraction, { "0": 0, "0.999": 0.999 }, ["1", "-0.1", "NaN"]],
  ["a share", positiveShare, { "1": 1, "1e-3": 0.001 }, ["0", "1.0001"]],
  ["whole", wholeNumber, { "0": 0, "20_000": 20_000 }, ["1.5", "-1", "1e3", "", "9007199254740993"]],
  ["whole, above 0", positiveInteger, { "7": 7 }, ["0", "0x10", "_"]],
  ["whole, up to 5", integerUpTo(5, wholeNumber, "at most 5."), { "5": 5 }, ["6", "a"]],
])("%s", (_, read, wanted, refused) => {
  for (const [text, value] of Object.entries(wanted)) expect(read(text), text).toBe(value);
  for (const text of refused) expect(() => read(text), text).toThrow(InvalidArgumentError);
});
