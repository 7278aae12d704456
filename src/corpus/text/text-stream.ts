import { InputError } from "../../errors.js";

/**
 * Text of a file from its bytes: strict UTF-8, a byte order mark at the start dropped, CRLF turned into LF.
 * @param name the file, for messages
 * @throws InputError with the offset of the first byte that is not UTF-8
 */
export async function* textStream(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let offset = 0;
  let rest: Uint8Array = new Uint8Array(0);
  let heldReturn = "";
  let started = false;
  for await (const chunk of bytes) {
    const joined = join(rest, chunk);
    const end = joined.length - unfinishedLength(joined);
    let text = heldReturn + decode(decoder, name, joined.subarray(0, end), offset);
    rest = joined.slice(end);
    offset += end;
    if (!started && text !== "") {
      started = true;
      if (text.startsWith("\ufeff")) text = text.slice(1);
    }
    // A CR at the end may be half of a CRLF.
    heldReturn = text.endsWith("\r") ? "\r" : "";
    text = text.slice(0, text.length - heldReturn.length).replaceAll("\r\n", "\n");
    if (text !== "") yield text;
  }
  if (rest.length > 0) {
    throw new InputError(name, `ends inside a UTF-8 character that begins at byte ${offset}; is the file complete?`);
  }
  if (heldReturn !== "") yield heldReturn;
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** How many bytes at the end begin a character that goes on after it. */
function unfinishedLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return characterLength(byte) > back && isValidStart(bytes, bytes.length - back) ? back : 0;
  }
  return 0;
}

function decode(decoder: TextDecoder, name: string, bytes: Uint8Array, offset: number): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    const at = firstInvalidByte(bytes);
    const utf16 = offset + at === 0 && (bytes[0] === 0xff || bytes[0] === 0xfe);
    throw new InputError(
      name,
      `byte ${offset + at} (0x${bytes[at]!.toString(16).padStart(2, "0")}) is not UTF-8; ` +
        `${utf16 ? "the file looks like UTF-16: " : ""}save it as UTF-8`,
      { cause: error },
    );
  }
}

/** Index of the first byte of the first ill-formed sequence. @param bytes known to be invalid */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes[at]!);
    if (length === 0 || at + length > bytes.length || !isValidStart(bytes, at)) return at;
    at += length;
  }
  return Math.max(0, bytes.length - 1);
}

/** Bytes of the character that this byte begins; 0 if it begins none. */
function characterLength(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc2 || byte > 0xf4) return 0;
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/** Whether the bytes from `at` on, as far as they are there, can be a character (Unicode 16, table 3-7). */
function isValidStart(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at]!;
  const length = characterLength(first);
  for (let i = 1; i < length && at + i < bytes.length; i++) {
    let low = 0x80;
    let high = 0xbf;
    if (i === 1) {
      if (first === 0xe0) low = 0xa0;
      else if (first === 0xed) high = 0x9f;
      else if (first === 0xf0) low = 0x90;
      else if (first === 0xf4) high = 0x8f;
    }
    const byte = bytes[at + i]!;
    if (byte < low || byte > high) return false;
  }
  return length > 0;
}
