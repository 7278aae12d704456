import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mutations } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { zstdStream } from "./zstd-stream.js";

const folder = "test/goldens/text-formats";
const wanted = readFileSync("test/goldens/tiny-books/check.txt").subarray(0, 6000);
const compressed = readFileSync(`${folder}/text.txt.zst`);

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function decompress(bytes: Uint8Array, size = 1000): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of zstdStream("x.zst", inPieces(bytes, size))) parts.push(part);
  return Buffer.concat(parts);
}

test("gives what zstd compressed, in one frame or several, whatever the pieces", async () => {
  const frames = readFileSync(`${folder}/frames.txt.zst`);
  for (const size of [1, 7, 1000, 100_000]) {
    expect((await decompress(compressed, size)).equals(wanted)).toBe(true);
    expect((await decompress(frames, size)).equals(wanted)).toBe(true);
  }
});

test("refuses what is broken or cut off", async () => {
  for (const length of [0, 1, 3, 8, 100, compressed.length - 5, compressed.length - 1]) {
    await expect(decompress(compressed.subarray(0, length))).rejects.toThrow(InputError);
  }
  await expect(decompress(Buffer.from("plain text that nobody compressed"))).rejects.toThrow(
    /^x.zst: is not Zstandard data, or broken/,
  );
  await expect(decompress(Buffer.concat([compressed, Buffer.from("garbage")]))).rejects.toThrow(InputError);
  // The checksum at the end notices one changed bit.
  const changed = Buffer.from(compressed);
  changed[compressed.length - 1]! ^= 1;
  await expect(decompress(changed)).rejects.toThrow(InputError);
});

test("refuses a Huffman table whose weights take no bits, on which a decoder may turn for ever", async () => {
  const block = [0xa2, 0x00, 0x05, 4, 0xf0, 0x03, 0x55, 0x81, ...new Array(30).fill(0x55)];
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 10, (block.length << 3) + 5, (block.length << 3) >> 8, 0, ...block];
  await expect(decompress(Uint8Array.from(frame))).rejects.toThrow(InputError);
});

test("stops at a decompression bomb", async () => {
  const bomb = readFileSync(`${folder}/zeros.txt.zst`);
  let produced = 0;
  const reading = (async () => {
    for await (const part of zstdStream("bomb.zst", inPieces(bomb, 1000))) produced += part.length;
  })();
  await expect(reading).rejects.toThrow(/^bomb.zst: grows more than 1000 times .* looks like a decompression bomb/);
  expect(produced).toBeLessThanOrEqual(2 ** 26);
});

test("damaged data is refused or read, nothing worse", async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(mutations(compressed.length), fc.integer({ min: 1, max: 3000 }), async (mutate, size) => {
      try {
        await decompress(mutate(compressed), size);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as Error).message).toMatch(/^x.zst: [^\n]{1,300}$/);
        refused++;
      }
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(200);
});

test("streams that break or are left with large windows leave nothing behind", async () => {
  // A window of 128 MB, and a first block of five bytes: more than WebAssembly's memory holds, if they stayed.
  const begun = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x88, 5 << 3, 0, 0, 1, 2, 3, 4, 5);
  for (let i = 0; i < 40; i++) {
    const stream = zstdStream("x.zst", inPieces(begun, begun.length));
    expect((await stream.next()).value).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
    if (i % 2 === 0) await stream.return(undefined);
    else await expect(stream.next()).rejects.toThrow("x.zst: Zstandard data ends inside a frame");
  }
  expect((await decompress(compressed)).equals(wanted)).toBe(true);
});
