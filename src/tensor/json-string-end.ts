/**
 * Just behind the closing quote of the JSON string that opens at `open`; behind the text where it does not close. A scan, as
 * a regular expression runs out of stack on strings of some million characters.
 */
export function jsonStringEnd(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}
