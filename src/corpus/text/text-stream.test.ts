import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { textStream } from "./text-stream.js";

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.slice(i, i + size);
}

async function read(bytes: ArrayLike<number> | string, size = 3): Promise<string> {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes);
  let text = "";
  for await (const part of textStream("file", inPieces(all, size))) text += part;
  return text;
}

test("gives the same text whatever the pieces, CRLF as LF, without a byte order mark at the start", async () => {
  const text = "\ufeffa\r\nb\r\rc\n\r\u0000\u{1f600}\ufeff\u4f60\r";
  for (let size = 1; size < 12; size++) {
    expect(await read(text, size)).toBe("a\nb\r\rc\n\r\u0000\u{1f600}\ufeff\u4f60\r");
  }
  expect(await read("")).toBe("");
  expect(await read("\ufeff")).toBe("");
});

test("reads any text in any pieces", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
      const wanted = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
      expect(await read(text, size)).toBe(wanted);
    }),
    { numRuns: 300 },
  );
});

test.each<[string, number[], RegExp]>([
  ["a stray continuation byte", [97, 98, 0x80, 99], /^file: byte 2 \(0x80\) is not UTF-8; save it as UTF-8$/],
  ["a character cut off by another", [97, 0xe4, 0xbd, 97, 98, 99], /byte 1 \(0xe4\)/],
  ["a surrogate", [97, 98, 99, 100, 0xed, 0xa0, 0x80], /byte 4 \(0xed\)/],
  ["an overlong form", [97, 0xc0, 0x80], /byte 1 \(0xc0\)/],
  ["a code point beyond Unicode", [0xf4, 0x90, 0x80, 0x80], /byte 0 \(0xf4\)/],
  ["Latin-1", [...new TextEncoder().encode("caf"), 0xe9, 32, 97], /byte 3 \(0xe9\)/],
  ["UTF-16", [0xff, 0xfe, 97, 0], /byte 0 \(0xff\) is not UTF-8; the file looks like UTF-16/],
  ["an end inside a character", [97, 0xf0, 0x9f, 0x98], /ends inside a UTF-8 character that begins at byte 1/],
])("says where %s is", async (_, bytes, message) => {
  for (let size = 1; size < 9; size++) {
    await expect(read(bytes, size)).rejects.toThrow(InputError);
    await expect(read(bytes, size)).rejects.toThrow(message);
  }
});

test("accepts what a strict decoder accepts and names the byte at which it stops", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 24 }), fc.integer({ min: 1, max: 5 }), async (bytes, size) => {
      const valid = isUtf8(bytes);
      const result = await read(bytes, size).catch((error: InputError) => error);
      expect(typeof result === "string").toBe(valid);
      if (typeof result === "string") return;
      const offset = Number(/byte (\d+)/.exec(result.message)![1]);
      expect(isUtf8(bytes.slice(0, offset))).toBe(true);
      // No way to go on makes a character that begins there, or the file ends in it.
      if (!result.message.includes("ends inside")) expect(isUtf8(bytes.slice(0, offset + 1))).toBe(false);
    }),
    { numRuns: 500 },
  );
});

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
