import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mutations } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { gunzip } from "./gunzip.js";

const wanted = readFileSync("test/goldens/tiny-books/check.txt").subarray(0, 6000);
const compressed = gzipSync(wanted);

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function decompress(bytes: Uint8Array, size = 1000): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of gunzip("x.gz", inPieces(bytes, size))) parts.push(part);
  return Buffer.concat(parts);
}

test("gives what gzip compressed, in one member or several, whatever the pieces", async () => {
  const members = Buffer.concat([gzipSync(wanted.subarray(0, 100)), gzipSync(wanted.subarray(100))]);
  for (const size of [1, 7, 1000, 100_000]) {
    expect((await decompress(compressed, size)).equals(wanted)).toBe(true);
    expect((await decompress(members, size)).equals(wanted)).toBe(true);
  }
});

test("refuses what is broken or cut off", async () => {
  for (const length of [1, 9, 100, compressed.length - 1]) {
    await expect(decompress(compressed.subarray(0, length))).rejects.toThrow(/^x.gz: gzip data is broken or cut off/);
  }
  await expect(decompress(Buffer.from("plain text"))).rejects.toThrow(InputError);
});

test("stops at a decompression bomb", async () => {
  // gzip reaches 1,030 to 1.
  const bomb = gzipSync(Buffer.alloc(100_000_000), { level: 9 });
  await expect(decompress(bomb, 10_000)).rejects.toThrow(/^x.gz: grows more than 1000 times/);
});

test("an error of what it reads from, and an early end, pass through", async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield compressed.subarray(0, 50);
    throw new InputError("disk", "is gone");
  }
  const reading = (async () => {
    for await (const _ of gunzip("x.gz", failing()));
  })();
  await expect(reading).rejects.toThrow("disk: is gone");
  let ended = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield compressed;
    } finally {
      ended = true;
    }
  }
  for await (const part of gunzip("x.gz", endless())) if (part.length > 0) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(ended).toBe(true);
});

test("damaged data is refused or read, nothing worse", async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(mutations(compressed.length), async (mutate) => {
      try {
        await decompress(mutate(compressed));
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        refused++;
      }
    }),
    { numRuns: 200 },
  );
  expect(refused).toBeGreaterThan(150);
});
