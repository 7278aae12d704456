import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ggufBytes, ggufGolden, type TestFile, type TestTensor } from "../../../test/support/gguf-bytes.js";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { bytesSource } from "../byte-source.js";
import { readGgufFile } from "./gguf-file.js";

const read = (file: TestFile) => readGgufFile(bytesSource("m.gguf", ggufBytes(file)));
const vector = (name: string, offset: number, size = 8): TestTensor => ({ name, sizes: [size], offset });

test.each([2, 3])("reads version %s", async (version) => {
  const { metadata, tensors, dataStart } = await read({
    version,
    metadata: [
      ["a", { kind: "uint8", value: 200 }],
      ["b", { kind: "int32", value: -5 }],
      ["c", { kind: "uint64", value: 2n ** 40n }],
      ["d", { kind: "float32", value: 0.5 }],
      ["e", { kind: "bool", value: 1 }],
      ["f", { kind: "string", value: "\u00e9" }],
      ["g", { kind: "array", of: "string", items: ["x", ""] }],
      ["h", { kind: "array", of: "int32", items: [1, -1] }],
    ],
    tensors: [{ name: "w", sizes: [32, 3], type: 8, offset: 0 }, vector("v", 128)],
    data: 160,
  });
  expect(Object.fromEntries(metadata)).toEqual({
    ...{ a: 200, b: -5, c: 2 ** 40, d: 0.5, e: true, f: "\u00e9", g: ["x", ""], h: [1, -1] },
  });
  expect(tensors.get("w")).toMatchObject({ type: "Q8_0", shape: [3, 32], byteLength: 102, offset: dataStart });
  expect(tensors.get("v")).toMatchObject({ type: "F32", shape: [8], byteLength: 32, offset: dataStart + 128 });
});

test("a header longer than what is read at first", async () => {
  const items = Array.from({ length: 50_000 }, (_, i) => `token ${i}`);
  const file = { metadata: [["tokens", { kind: "array", of: "string", items }]] } satisfies TestFile;
  expect((await read(file)).metadata.get("tokens")).toEqual(items);
});

test("the padding after the last tensor may be missing", async () => {
  expect((await read({ tensors: [vector("v", 0, 1)], data: 4 })).tensors.size).toBe(1);
  expect((await read({ tensors: [vector("v", 0, 1)], data: 32 })).tensors.size).toBe(1);
});

describe("refuses", () => {
  const alignment = (value: number): TestFile => ({
    metadata: [["general.alignment", { kind: "uint32", value }]],
  });
  const refused: [what: string, file: TestFile, problem: string | RegExp][] = [
    ["what is no GGUF file", { magic: "GGUX", data: 8 }, 'does not begin with "GGUF"'],
    ["version 1", { version: 1 }, "is GGUF version 1; versions 2 and 3 are read"],
    ["a big-endian file", { version: 3 << 24 }, "is a big-endian GGUF file; only little-endian ones are read"],
    ["too many tensors", { tensorCount: 2n ** 60n }, /^the number of tensors is \d+, more than any file holds$/],
    ["many tensors", { tensorCount: 2n ** 30n }, "the number of tensors is 1073741824; 131072 are the most"],
    ["too many keys", { keyCount: 2n ** 20n }, "the number of metadata keys is 1048576; 16384 are the most"],
    ["keys that are not there", { keyCount: 9n, data: 24 }, "has a metadata key without a name"],
    [
      "a key twice",
      {
        metadata: [
          ["a", { kind: "bool", value: 1 }],
          ["a", { kind: "bool", value: 1 }],
        ],
      },
      'metadata "a" is there twice',
    ],
    ["a bool of 2", { metadata: [["a", { kind: "bool", value: 2 }]] }, 'metadata "a" is 2 where 0 or 1 is wanted'],
    [
      "a list of lists",
      { metadata: [["a", { kind: "array", of: "array", items: [] }]] },
      'metadata "a" is a list of lists, which no model needs',
    ],
    [
      "a list beyond the file",
      { metadata: [["a", { kind: "array", of: "int32", items: [], length: 1000n }]] },
      /^metadata "a" ends beyond the file's \d+ bytes: cut off/,
    ],
    [
      "a list too long",
      { metadata: [["a", { kind: "array", of: "int32", items: [], length: 2n ** 40n }]] },
      'metadata "a" has 1099511627776 items; 4194304 are the most',
    ],
    [
      "an alignment that is no power of two",
      alignment(24),
      'metadata "general.alignment" is "24"; a power of two is wanted',
    ],
    ["no alignment", alignment(0), 'metadata "general.alignment" is "0"; a power of two is wanted'],
    ["no axes", { tensors: [{ name: "v", sizes: [], offset: 0 }] }, 'tensor "v" has 0 axes; 1 to 4 are wanted'],
    [
      "five axes",
      { tensors: [{ name: "v", sizes: [1, 1, 1, 1, 1], offset: 0 }] },
      'tensor "v" has 5 axes; 1 to 4 are wanted',
    ],
    [
      "an axis of nothing",
      { tensors: [{ name: "v", sizes: [0, 2], offset: 0 }] },
      'tensor "v" has the impossible shape [2, 0]',
    ],
    [
      "a shape too large",
      { tensors: [{ name: "v", sizes: [2 ** 30, 2 ** 30], offset: 0 }] },
      /^tensor "v" has a shape too large/,
    ],
    [
      "a type that is not read",
      { tensors: [{ ...vector("v", 0, 256), type: 16 }] },
      /^tensor "v" has number type IQ2_XXS, which is not read; F32, F16, BF16, Q4_0/,
    ],
    ["an unknown type", { tensors: [{ ...vector("v", 0), type: 99 }] }, /^tensor "v" has number type 99, which/],
    [
      "rows that blocks do not fill",
      { tensors: [{ ...vector("v", 0, 33), type: 2 }] },
      'tensor "v" has rows of 33 numbers, which are no whole blocks of Q4_0',
    ],
    ["a tensor twice", { tensors: [vector("v", 0), vector("v", 32)], data: 64 }, 'tensor "v" is there twice'],
    [
      "tensors that overlap",
      { tensors: [vector("v", 0), vector("w", 0)], data: 64 },
      'tensor "w" lies at offset 0, where the one before it ends at 32',
    ],
    [
      "a hole",
      { tensors: [vector("v", 0), vector("w", 64)], data: 96 },
      'tensor "w" lies at offset 64, where the one before it ends at 32',
    ],
    [
      "a tensor that is not aligned",
      { tensors: [vector("v", 0, 1), vector("w", 4)], data: 64 },
      'tensor "w" lies at offset 4, where the one before it ends at 32',
    ],
    [
      "a file cut off",
      { tensors: [vector("v", 0)], data: 16 },
      /^tensor "v" ends beyond the file's \d+ bytes: cut off/,
    ],
    [
      "bytes that belong to nothing",
      { tensors: [vector("v", 0)], data: 64 },
      "32 bytes at its end belong to no tensor",
    ],
    [
      "a name too long",
      { tensors: [vector("v".repeat(64), 0)] },
      "the name of a tensor is 64 bytes long; 63 are the most",
    ],
  ];
  test.each(refused)("%s", async (_, file, problem) => {
    const error = await read(file).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).place).toBe("m.gguf");
    if (typeof problem === "string") expect((error as InputError).problem.split(", download")[0]).toBe(problem);
    else expect((error as InputError).problem).toMatch(problem);
  });

  test("what is too short to be one", async () => {
    await expect(readGgufFile(bytesSource("m.gguf", new Uint8Array(23)))).rejects.toThrow("m.gguf: is 23 bytes long");
  });
});

test("24 bytes that claim much take no memory and no time", async () => {
  const claims = ggufBytes({ tensorCount: 2n ** 16n, keyCount: 2n ** 13n }).slice(0, 24);
  const before = process.memoryUsage().heapUsed;
  await expect(readGgufFile(bytesSource("m.gguf", claims))).rejects.toThrow("the length of a metadata key ends beyond");
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * 2 ** 20);
});

test("a damaged file is refused or read", async () => {
  const whole = ggufGolden("tiny-gpt2-Q4_0.gguf");
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutations(600), mutations(6000)), async (mutate) => {
      if (!(await readUntrusted(mutate(whole), readGgufFile, 2))) refused++;
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(100);
});
