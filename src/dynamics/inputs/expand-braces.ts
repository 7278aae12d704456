import { InputError } from "../../errors.js";

/** More checkpoints than any run has saved. */
const maxNames = 10_000;

/**
 * Names that a pattern with braces stands for: `step{0,1,2,1000..3000:1000}` is step0, step1, step2, step1000, step2000
 * and step3000; `...` stands for doubling (`1,2,4,...,512`). Several braces give all combinations.
 * @throws InputError if a brace is not closed or a range makes no sense
 */
export function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf("{");
  if (open < 0) {
    if (pattern.includes("}")) throw new InputError(pattern, "has a closing brace without an opening one");
    return [pattern];
  }
  const close = pattern.indexOf("}", open);
  if (close < 0) throw new InputError(pattern, "has an opening brace without a closing one");
  const items = expandList(pattern, pattern.slice(open + 1, close));
  const endings = expandBraces(pattern.slice(close + 1));
  if (items.length * endings.length > maxNames) throw new InputError(pattern, `stands for over ${maxNames} names`);
  const start = pattern.slice(0, open);
  return items.flatMap((item) => endings.map((ending) => start + item + ending));
}

function expandList(pattern: string, list: string): string[] {
  const parts = list.split(",").map((part) => part.trim());
  return parts.flatMap((part, i) => {
    if (part === "...") return doubling(pattern, parts, i);
    const range = /^(\d+)\.\.(\d+)(?::(\d+))?$/.exec(part);
    return range === null ? [part] : expandRange(pattern, Number(range[1]), Number(range[2]), Number(range[3] ?? 1));
  });
}

function expandRange(pattern: string, from: number, to: number, by: number): string[] {
  if (!(by > 0 && to >= from && Number.isSafeInteger(to))) {
    throw new InputError(pattern, `the range ${from}..${to}:${by} is empty or goes backwards`);
  }
  if ((to - from) / by >= maxNames)
    throw new InputError(pattern, `the range ${from}..${to}:${by} has over ${maxNames} steps`);
  const count = Math.floor((to - from) / by) + 1;
  return Array.from({ length: count }, (_, i) => `${from + i * by}`);
}

/** What lies between the part before and the part after, doubling each time. */
function doubling(pattern: string, parts: readonly string[], at: number): string[] {
  const [before, after] = [parts[at - 1], parts[at + 1]].map((part) => /^(\d+)(?:\.\.|$)/.exec(part ?? "")?.[1]);
  const [from, to] = [Number(before), Number(after)];
  if (before === undefined || after === undefined || !(from > 0)) {
    throw new InputError(pattern, '"..." stands between two numbers, the first above 0');
  }
  const values: string[] = [];
  let value = 2 * from;
  for (; value < to; value *= 2) values.push(`${value}`);
  if (value !== to) throw new InputError(pattern, `"..." doubles ${from} again and again, and does not come to ${to}`);
  return values;
}
