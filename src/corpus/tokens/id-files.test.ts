import fc from "fast-check";
import { expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { type ByteSource, bytesSource } from "../../tensor/byte-source.js";
import type { DType } from "../../tensor/dtype.js";
import { writeNpy } from "../../tensor/npy.js";
import type { Document } from "../corpus.js";
import { npyDocuments, rawIdDocuments } from "./id-files.js";

async function read(documents: AsyncIterable<Document>): Promise<{ name: string; ids: number[] }[]> {
  const found = [];
  for await (const document of documents) {
    if (!("ids" in document)) throw new Error("ids are wanted");
    const ids: number[] = [];
    for await (const part of document.ids) for (let i = 0; i < part.length; i++) ids.push(part[i]!);
    found.push({ name: document.name, ids });
  }
  return found;
}

const bytesOf = (data: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }) =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

function npy(dtype: DType, shape: number[], data: Int32Array | Uint16Array | BigInt64Array | Float32Array): ByteSource {
  return bytesSource("x.npy", writeNpy({ dtype, shape, data: bytesOf(data) }));
}

test("reads one document or one a row", async () => {
  expect(await read(npyDocuments(npy("I32", [3], Int32Array.of(5, 0, 70_000))))).toEqual([
    { name: "x.npy", ids: [5, 0, 70_000] },
  ]);
  expect(await read(npyDocuments(npy("U16", [2, 2], Uint16Array.of(1, 2, 3, 65_535))))).toEqual([
    { name: "x.npy row 0", ids: [1, 2] },
    { name: "x.npy row 1", ids: [3, 65_535] },
  ]);
  expect(await read(npyDocuments(npy("I64", [1], BigInt64Array.of(-7n))))).toEqual([{ name: "x.npy", ids: [-7] }]);
  expect(await read(npyDocuments(npy("I32", [9, 0], new Int32Array(0))))).toEqual([]);
});

test("reads a long array a part at a time", async () => {
  const ids = Uint16Array.from({ length: 700_000 }, (_, i) => i % 8192);
  let largest = 0;
  const source = npy("U16", [700_000], ids);
  const watched: ByteSource = {
    ...source,
    read(offset, length) {
      largest = Math.max(largest, length);
      return source.read(offset, length);
    },
  };
  expect(await read(npyDocuments(watched))).toEqual([{ name: "x.npy", ids: Array.from(ids) }]);
  expect(largest).toBeLessThanOrEqual(2 ** 20);
});

test("reads short rows together", async () => {
  const source = npy("U16", [1000, 50], new Uint16Array(50_000).fill(9));
  let reads = 0;
  const counted: ByteSource = {
    ...source,
    read(offset, length) {
      reads++;
      return source.read(offset, length);
    },
  };
  expect((await read(npyDocuments(counted))).map(({ ids }) => ids.length)).toEqual(new Array(1000).fill(50));
  expect(reads).toBeLessThan(10);
});

test("reads raw ids", async () => {
  const bytes = Uint8Array.of(1, 0, 0, 1, 255, 255, 0, 0);
  expect(await read(rawIdDocuments(bytesSource("x.bin", bytes), "uint16"))).toEqual([
    { name: "x.bin", ids: [1, 256, 65_535, 0] },
  ]);
  expect(await read(rawIdDocuments(bytesSource("x.bin", bytes), "uint32"))).toEqual([
    { name: "x.bin", ids: [0x01000001, 65_535] },
  ]);
});

test("refuses what is no list of ids", async () => {
  await expect(read(npyDocuments(npy("F32", [1], Float32Array.of(1))))).rejects.toThrow(
    "x.npy: header field descr: F32; token ids are whole numbers",
  );
  await expect(read(npyDocuments(npy("I32", [1, 1, 1], Int32Array.of(1))))).rejects.toThrow(
    "x.npy: header field shape: [1, 1, 1]; [n] or [rows, n] is wanted",
  );
  await expect(read(npyDocuments(npy("I64", [1], BigInt64Array.of(2n ** 60n))))).rejects.toThrow(/^x.npy: /);
  await expect(read(rawIdDocuments(bytesSource("x.bin", new Uint8Array(6)), "uint32"))).rejects.toThrow(
    "x.bin: has 6 bytes, not a whole number of uint32 ids",
  );
});

test("a damaged file is refused or read, nothing worse", async () => {
  const whole = writeNpy({ dtype: "U16", shape: [4, 5], data: bytesOf(new Uint16Array(20).fill(7)) });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(mutations(128), async (mutate) => {
      if (!(await readUntrusted(mutate(whole), (source) => read(npyDocuments(source)), 2))) refused++;
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(100);
});
