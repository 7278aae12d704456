import { InputError } from "../errors.js";
import { harmlessJsonLength, jsonPartsWatch, tooManyParts } from "./json-parts.js";
import { jsonStringEnd } from "./json-string-end.js";
import { parsePythonJson } from "./python-json.js";

/**
 * JSON from untrusted bytes: valid UTF-8, and no object with the same name twice, which JSON.parse would hide. NaN and
 * infinities, which Python writes, are numbers that are not finite.
 * @param what the part of the file that the bytes are, for messages, such as "header"
 * @throws InputError
 */
export function parseStrictJson(place: string, what: string, bytes: Uint8Array): unknown {
  const text = decodeUtf8(place, what, bytes);
  if (text.length > harmlessJsonLength && jsonPartsWatch()(text))
    throw new InputError(place, `${what} ${tooManyParts}`);
  let value: unknown;
  try {
    value = parsePythonJson(text);
  } catch (error) {
    throw new InputError(place, `${what} is not JSON: ${oneLine((error as Error).message)}`, { cause: error });
  }
  const duplicate = duplicateName(text);
  if (duplicate !== undefined) throw new InputError(place, `${what} names ${quote(duplicate)} twice`);
  return value;
}

/** Characters of a name that a message quotes, as they are shown. */
const longestQuote = 200;

/** A name from an untrusted file, on one line and not too long for a message. */
export function quote(name: string): string {
  const whole = JSON.stringify(name.slice(0, longestQuote + 1));
  if (whole.length <= longestQuote + 2 && name.length <= longestQuote) return whole;
  // An escape takes up to six characters for one.
  let end = Math.min(name.length, longestQuote);
  while (JSON.stringify(name.slice(0, end)).length > longestQuote + 2) end = Math.floor(0.9 * end);
  return JSON.stringify(`${name.slice(0, end)}...`);
}

/** A value from an untrusted file, as a message shows it: on one line, short, however deep it is. */
export function shown(value: unknown, longest = 60): string {
  if (typeof value === "number") return Number.isFinite(value) ? `${value}` : "not a finite number";
  let text: string;
  try {
    text = JSON.stringify(value) ?? "nothing";
  } catch {
    // A few thousand lists in each other are more than JSON.stringify's stack.
    text = Array.isArray(value) ? "[...]" : "{...}";
  }
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

function decodeUtf8(place: string, what: string, bytes: Uint8Array): string {
  try {
    // A byte order mark, which editors on Windows write, is dropped.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(place, `${what} is not valid UTF-8`, { cause: error });
  }
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, " ").slice(0, 200);
}

/** @param text valid JSON @returns the first name that an object has twice */
function duplicateName(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
        open.push(new Set());
        break;
      case "[":
        open.push(undefined);
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case '"': {
        const end = jsonStringEnd(text, i);
        const names = open.at(-1);
        if (names !== undefined && isName(text, end)) {
          const name = JSON.parse(text.slice(i, end)) as string;
          if (names.has(name)) return name;
          names.add(name);
        }
        i = end - 1;
      }
    }
  }
  return undefined;
}

/** Whether the string that ends here is a name: a colon follows. */
function isName(text: string, end: number): boolean {
  let i = end;
  while (" \t\n\r".includes(text[i] ?? "x")) i++;
  return text[i] === ":";
}
