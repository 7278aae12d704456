import { InputError } from "../errors.js";

/**
 * JSON from untrusted bytes: valid UTF-8, and no object with the same name twice, which JSON.parse would hide.
 * @param what the part of the file that the bytes are, for messages, such as "header"
 * @throws InputError
 */
export function parseStrictJson(place: string, what: string, bytes: Uint8Array): unknown {
  const text = decodeUtf8(place, what, bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(place, `${what} is not JSON: ${oneLine((error as Error).message)}`, { cause: error });
  }
  const duplicate = duplicateName(text);
  if (duplicate !== undefined) throw new InputError(place, `${what} names ${quote(duplicate)} twice`);
  return value;
}

/** A name from an untrusted file, on one line and not too long for a message. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
}

function decodeUtf8(place: string, what: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
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
        const end = stringEnd(text, i);
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

/** Just after the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}

/** Whether the string that ends here is a name: a colon follows. */
function isName(text: string, end: number): boolean {
  let i = end;
  while (" \t\n\r".includes(text[i] ?? "x")) i++;
  return text[i] === ":";
}
