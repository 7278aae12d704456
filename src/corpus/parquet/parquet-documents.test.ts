import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { unbrotli } from "../../node/files/unbrotli.js";
import { type ByteSource, bytesSource } from "../../tensor/byte-source.js";
import { parquetDocuments } from "./parquet-documents.js";

const folder = "test/goldens/text-formats";
const bytesOf = (name: string) => new Uint8Array(readFileSync(`${folder}/${name}.parquet`));
const expected: { optional: (string | null)[]; required: string[] } = JSON.parse(
  readFileSync(`${folder}/parquet.json`, "utf8"),
);
const rows = (texts: (string | null)[]) =>
  texts.map((text, row) => ({ name: `x.parquet row ${row}`, text })).filter(({ text }) => text !== null);

async function read(source: ByteSource, column = "text") {
  const found: { name: string; text: string | null }[] = [];
  for await (const document of parquetDocuments(source, column, unbrotli)) {
    if (!("text" in document)) throw new Error("a text is wanted");
    expect(document.separate).toBe(true);
    let text = "";
    for await (const part of document.text) text += part;
    found.push({ name: document.name, text });
  }
  return found;
}

const readFile = (name: string, column?: string) => read(bytesSource("x.parquet", bytesOf(name)), column);

test.each([
  ["snappy", "dictionary, several row groups"],
  ["small-pages", "dictionary that gives way to plain, many pages"],
  ["zstd-v2", "version 2 pages"],
  ["delta-length", "lengths as differences"],
  ["delta", "beginnings shared"],
  ["lz4", "LZ4 blocks"],
  ["brotli-v2", "version 2 pages in Brotli"],
  ["checksum", "a checksum for every page"],
])("%s: gives what pyarrow wrote, rows without a text left out (%s)", async (name) => {
  expect(await readFile(name)).toEqual(rows(expected.optional));
});

test.each(["gzip", "plain", "dictionary-v2", "brotli"])(
  "%s: gives a required column that pyarrow wrote",
  async (name) => {
    expect(await readFile(name)).toEqual(rows(expected.required));
  },
);

test("a text inside a struct", async () => {
  expect(await readFile("nested", "doc.body")).toEqual(rows(expected.optional));
});

test("reads no more than a page and the footer at a time", async () => {
  const bytes = bytesOf("small-pages");
  let largest = 0;
  const inside = bytesSource("x.parquet", bytes);
  const source: ByteSource = {
    ...inside,
    read(offset, length) {
      largest = Math.max(largest, length);
      return inside.read(offset, length);
    },
  };
  await read(source);
  expect(largest).toBeLessThanOrEqual(4096);
  expect(bytes.length).toBeGreaterThan(10_000);
});

test.each<[string, string, string | undefined, RegExp]>([
  ["a missing column", "snappy", "body", /^x.parquet: column "body" is not there; of columns of text it has "text"$/],
  ["a column of numbers", "snappy", "id", /^x.parquet: column "id" doesn't hold one text a row; /],
  ["a column of lists", "plain", "parts.list.element", /column "parts.list.element" doesn't hold one text a row; /],
])("refuses %s", async (_, name, column, message) => {
  await expect(readFile(name, column)).rejects.toThrow(InputError);
  await expect(readFile(name, column)).rejects.toThrow(message);
});

test.each(["no-rows", "no-rows-no-type", "nulls-no-type"])(
  "%s: nothing comes of a part without texts",
  async (name) => {
    expect(await readFile(name)).toEqual([]);
  },
);

test("of a part with rows the column must be there, also where none of them has a text", async () => {
  await expect(readFile("nulls-no-type", "body")).rejects.toThrow(
    'column "body" is not there; of columns of text it has "text"',
  );
});

test("where nothing decompresses Brotli, its pages are refused", async () => {
  const reading = parquetDocuments(bytesSource("x", bytesOf("brotli")), "text").next();
  await expect(reading).rejects.toThrow("x: the page at byte 4 cannot be read: Brotli cannot be decompressed here");
});

test.each<[string, RegExp | number]>([
  // Files that claim what they are not, found by random damage: each took gigabytes, or minutes.
  ["schema-paths", 1],
  ["dictionary-2kB", 1],
  ["empty-texts", /has over 65536 texts in 45 bytes: this looks like a decompression bomb/],
  ["overlap", /metadata is broken: the column chunks at bytes 4 and 4 overlap/],
  ["delta-lengths", /the page at byte 4 cannot be read: 16777216 lengths where 1 texts are/],
  ["crc-flipped", /the page at byte 4 cannot be read: its bytes are not those of its checksum: download/],
])("%s: read or refused at once, in little memory", async (name, outcome) => {
  const bytes = new Uint8Array(gunzipSync(readFileSync(`test/goldens/hostile/${name}.parquet.gz`)));
  const reading = read(bytesSource("x", bytes));
  if (typeof outcome === "number") expect((await reading).length).toBeGreaterThanOrEqual(outcome);
  else await expect(reading).rejects.toThrow(outcome);
});

test("refuses what is no Parquet file, and a part of one", async () => {
  const whole = bytesOf("snappy");
  for (const length of [0, 4, 11, 12, 100, whole.length - 1]) {
    await expect(read(bytesSource("x", whole.subarray(0, length)))).rejects.toThrow(
      /^x: does not end as a Parquet file/,
    );
  }
  const encrypted = whole.slice();
  encrypted.set(new TextEncoder().encode("PARE"), whole.length - 4);
  await expect(read(bytesSource("x", encrypted))).rejects.toThrow("x: is an encrypted Parquet file");
  const lying = whole.slice();
  lying[whole.length - 5] = 0x7f;
  await expect(read(bytesSource("x", lying))).rejects.toThrow(/^x: Parquet metadata length \d+ is too large/);
});

test.each(["bomb", "repeats"])("%s: stops at a decompression bomb", async (name) => {
  let produced = 0;
  const reading = (async () => {
    for await (const document of parquetDocuments(bytesSource("x", bytesOf(name)), "text")) {
      if ("text" in document) for await (const part of document.text) produced += part.length;
    }
  })();
  await expect(reading).rejects.toThrow(/looks like a decompression bomb/);
  expect(produced).toBeLessThanOrEqual(2 ** 27);
});

test("a list that claims 2^30 elements takes no memory", async () => {
  // version, schema: list of structs, its length.
  const metadata = [0x15, 2, 0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 4, 0];
  const bytes = Uint8Array.of(...[80, 65, 82, 49], ...metadata, metadata.length, 0, 0, 0, ...[80, 65, 82, 49]);
  await expect(read(bytesSource("x", bytes))).rejects.toThrow("x: Parquet metadata is broken: ends too early");
});

test.each([
  ...["snappy", "small-pages", "zstd-v2", "delta", "delta-length", "dictionary-v2", "gzip"],
  ...["brotli-v2", "lz4", "checksum"],
])("%s: a damaged file is refused or read, nothing worse", async (name) => {
  const whole = bytesOf(name);
  const metadataLength = new DataView(whole.buffer).getUint32(whole.length - 8, true);
  let refused = 0;
  const damaged = async (bytes: Uint8Array) => {
    // A page's header is read ahead of it, 4 kB at a time.
    if (!(await readUntrusted(bytes, (source) => read(source), 50))) refused++;
  };
  await fc.assert(
    fc.asyncProperty(mutations(whole.length), async (mutate) => damaged(mutate(whole))),
    { numRuns: 60 },
  );
  // Half of the damage in the metadata, without moving what it points to.
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(metadataLength - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      async (changes) => {
        const bytes = whole.slice();
        for (const [at, byte] of changes) bytes[whole.length - 8 - metadataLength + at] = byte;
        await damaged(bytes);
      },
    ),
    { numRuns: 60 },
  );
  expect(refused).toBeGreaterThan(30);
});
