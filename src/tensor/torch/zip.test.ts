import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { type ByteSource, bytesSource } from "../byte-source.js";
import { locateZipRecord, readZipDirectory } from "./zip.js";

interface Entry {
  name: string;
  localName?: string;
  text: string;
  flags?: number;
  method?: number;
  /** Leave the lengths and the offset to the zip64 field. */
  wide?: boolean;
  localHeader?: number;
  byteLength?: number;
}

const u16 = (value: number) => [value & 255, value >> 8];
const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
const u64 = (value: number) => [...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)];
const utf8 = (text: string) => [...new TextEncoder().encode(text)];

/** A zip archive by the letter of the format. */
function zip(entries: Entry[], { zip64 = false, comment = "", count = entries.length } = {}): Uint8Array {
  const bytes: number[] = [];
  const directory: number[] = [];
  for (const { name, localName = name, text, flags = 0, method = 0, wide = false, ...lies } of entries) {
    const length = lies.byteLength ?? utf8(text).length;
    const at = lies.localHeader ?? bytes.length;
    const padding = [0x46, 0x42, ...u16(3), 0x5a, 0x5a, 0x5a];
    bytes.push(
      ...u32(0x04034b50),
      ...u16(0),
      ...u16(flags),
      ...u16(method),
      ...u32(0),
      ...u32(0),
      ...u32(0),
      ...u32(0),
    );
    bytes.push(...u16(utf8(localName).length), ...u16(padding.length), ...utf8(localName), ...padding, ...utf8(text));
    const extra = wide
      ? [...u16(7), ...u16(1), 9, ...u16(1), ...u16(24), ...u64(length), ...u64(length), ...u64(at)]
      : [];
    directory.push(...u32(0x02014b50), ...u16(0), ...u16(0), ...u16(flags), ...u16(method), ...u32(0), ...u32(0));
    directory.push(...u32(wide ? 0xffffffff : length), ...u32(wide ? 0xffffffff : length), ...u16(utf8(name).length));
    directory.push(...u16(extra.length), ...u16(0), ...u16(0), ...u16(0), ...u32(0), ...u32(wide ? 0xffffffff : at));
    directory.push(...utf8(name), ...extra);
  }
  const start = bytes.length;
  bytes.push(...directory);
  if (zip64) {
    const end = bytes.length;
    bytes.push(...u32(0x06064b50), ...u64(44), ...u16(0), ...u16(0), ...u32(0), ...u32(0));
    bytes.push(...u64(count), ...u64(count), ...u64(directory.length), ...u64(start));
    bytes.push(...u32(0x07064b50), ...u32(0), ...u64(end), ...u32(1));
  }
  const counts = zip64 ? [255, 255, 255, 255] : [...u16(count), ...u16(count)];
  bytes.push(...u32(0x06054b50), ...u16(0), ...u16(0), ...counts, ...u32(directory.length));
  bytes.push(...u32(zip64 ? 0xffffffff : start), ...u16(comment.length), ...utf8(comment));
  return Uint8Array.from(bytes);
}

async function contents(bytes: Uint8Array): Promise<[string, string][]> {
  const places = await locateAll(bytesSource("a.zip", bytes));
  return places.map(({ name, offset, byteLength }) => [
    name,
    new TextDecoder().decode(bytes.subarray(offset, offset + byteLength)),
  ]);
}

async function locateAll(source: ByteSource) {
  const records = [...(await readZipDirectory(source)).values()];
  return Promise.all(records.map(async (record) => ({ ...record, offset: await locateZipRecord(source, record) })));
}

const two: Entry[] = [
  { name: "a", text: "first" },
  { name: "folder/é", text: "" },
];
const twoContents = [
  ["a", "first"],
  ["folder/é", ""],
];

describe("readZipDirectory", () => {
  test("finds stored files, behind a comment that looks like an end, and in an archive of none", async () => {
    expect(await contents(zip(two))).toEqual(twoContents);
    expect(await contents(zip(two, { comment: `PK\x05\x06${"\0".repeat(30)}` }))).toEqual(twoContents);
    expect(await contents(zip([]))).toEqual([]);
  });

  test("reads zip64 lengths, offsets and ends", async () => {
    expect(await contents(zip(two.map((entry) => ({ ...entry, wide: true }))))).toEqual(twoContents);
    expect(await contents(zip(two, { zip64: true }))).toEqual(twoContents);
    expect(
      await contents(
        zip(
          two.map((entry) => ({ ...entry, wide: true })),
          { zip64: true },
        ),
      ),
    ).toEqual(twoContents);
  });

  const cases: [what: string, bytes: Uint8Array, problem: string][] = [
    [
      "other files",
      utf8bytes("not a zip archive at all"),
      "has no end of a zip archive: cut off, or not a zip archive",
    ],
    ["a cut off file", zip(two).subarray(0, -1), "has no end of a zip archive: cut off, or not a zip archive"],
    ["encryption", zip([{ name: "a", text: "x", flags: 1 }]), 'zip record "a" is encrypted'],
    [
      "compression",
      zip([{ name: "a", text: "x", method: 8 }]),
      'zip record "a" is compressed (method 8): store it uncompressed (zip -0)',
    ],
    ["two records of one name", zip([two[0]!, two[0]!]), 'zip record "a" is listed twice'],
    [
      "a record named otherwise",
      zip([{ name: "a", localName: "b", text: "" }]),
      'zip record "a" has another name in its own header',
    ],
    [
      "a record beyond the end",
      zip([{ name: "a", text: "", byteLength: 1000 }]),
      'zip record "a" is outside the file: cut off, download it again',
    ],
    [
      "a header beyond the end",
      zip([{ name: "a", text: "", localHeader: 9 }]),
      'zip record "a" is outside the file: cut off, download it again',
    ],
    [
      "a header elsewhere",
      zip([{ name: "a", text: "x".repeat(50), localHeader: 1 }]),
      'zip record "a" has no header where the directory says',
    ],
    [
      "records that overlap",
      zip([
        { name: "a", text: "x", byteLength: 2 },
        { name: "b", text: "" },
      ]),
      'zip record "a" overlaps what follows it',
    ],
    ["too large a count", zip(two, { count: 1000 }), "zip directory of 102 bytes cannot list 1000 records"],
    ["too small a count", zip(two, { count: 1 }), "zip directory is longer than its entries"],
    [
      "too large a zip64 count",
      zip(two, { count: 2 ** 52, zip64: true }),
      "zip directory of 102 bytes cannot list 4503599627370496 records",
    ],
  ];
  test.each(cases)("refuses %s", async (_, bytes, problem) => {
    await expect(contents(bytes)).rejects.toThrow(new InputError("a.zip", problem));
  });

  test("survives any damage", async () => {
    const golden = new Uint8Array(await readFile("test/goldens/torch/kinds.bin"));
    const archives = [
      golden,
      zip(
        two.map((entry) => ({ ...entry, wide: true })),
        { zip64: true },
      ),
    ];
    for (const archive of archives) {
      await fc.assert(
        // What lies at the end matters most.
        fc.asyncProperty(mutations(Math.min(archive.length, 2600)), async (mutate) => {
          const head = archive.subarray(0, Math.max(0, archive.length - 2600));
          const bytes = Uint8Array.from([...head, ...mutate(archive.subarray(head.length))]);
          await readUntrusted(bytes, locateAll, 3);
        }),
        { numRuns: 300 },
      );
    }
  });
});

function utf8bytes(text: string): Uint8Array {
  return Uint8Array.from(utf8(text));
}
