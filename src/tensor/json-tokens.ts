import { jsonStringEnd } from "./json-string-end.js";

/** Strings, punctuation, and numbers or words, one after the other. */
export function* jsonTokens(text: string): Generator<{ token: string; index: number }> {
  const start = /\S/g;
  const other = /[{}[\],:]|[^\s{}[\],:"]+/y;
  for (let found = start.exec(text); found !== null; found = start.exec(text)) {
    const { index } = found;
    other.lastIndex = index;
    const end = text[index] === '"' ? jsonStringEnd(text, index) : index + (other.exec(text)?.[0].length ?? 1);
    yield { token: text.slice(index, end), index };
    start.lastIndex = end;
  }
}
