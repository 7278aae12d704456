import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutations, readUntrusted } from "../../test/support/untrusted-bytes.js";
import { InputError } from "../errors.js";
import { bytesSource } from "./byte-source.js";
import { encodeBFloat16, encodeFloats } from "./dtype.js";
import { readNpyHeader, writeNpy } from "./npy.js";
import { readIntegers, readTensor, readTensorFloat64 } from "./safetensors/safetensors.js";

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A .npy file of version 1.0, its header as short as it may be. */
function npy(header: string, data: ArrayLike<number> = []): Uint8Array {
  return Uint8Array.from([
    ...latin1("\x93NUMPY\x01\0"),
    header.length & 255,
    header.length >> 8,
    ...latin1(header),
    ...Array.from(data),
  ]);
}

const read = (bytes: Uint8Array) => readNpyHeader(bytesSource("a.npy", bytes));

const dict = (descr: string, shape: string, fortran = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe("readNpyHeader", () => {
  test("reads what NumPy 2.4 writes", async () => {
    // np.save(file, np.array([0.5, -2.0])) and, with format.write_array, versions 2.0 and 3.0.
    const data = String.fromCharCode(...new Uint8Array(Float64Array.of(0.5, -2).buffer));
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }".padEnd(115);
    for (const start of ["\x01\0v\0", "\x02\0t\0\0\0", "\x03\0t\0\0\0"]) {
      const padded = start.length === 4 ? `${header}  \n` : `${header}\n`;
      const entry = await read(latin1(`\x93NUMPY${start}${padded}${data}`));
      expect(entry).toMatchObject({ name: "a.npy", dtype: "F64", shape: [2], offset: 128, byteLength: 16 });
      expect(Array.from(await readTensorFloat64(entry))).toEqual([0.5, -2]);
    }
  });

  test("reads every type, big-endian ones too", async () => {
    const cases: [descr: string, data: number[], value: number][] = [
      ["'<f2'", [0x00, 0xc0], -2],
      ["'>f2'", [0xc0, 0x00], -2],
      ["'>f4'", [0x3f, 0xc0, 0, 0], 1.5],
      ["'>f8'", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5],
      ["'|i1'", [0xff], -1],
      ["'>u1'", [0xff], 255],
      ["'|b1'", [1], 1],
      ["'<i2'", [0xfe, 0xff], -2],
      ["'>i2'", [0xff, 0xfe], -2],
      ["'>u2'", [1, 2], 258],
      ["'>i4'", [0xff, 0xff, 0xff, 0xfe], -2],
      ["'<u4'", [0, 0, 0, 0x80], 2 ** 31],
      ["'>i8'", [0, 0, 1, 0, 0, 0, 0, 5], 2 ** 40 + 5],
      ["'<u8'", [5, 0, 0, 0, 0, 1, 0, 0], 2 ** 40 + 5],
    ];
    for (const [descr, data, value] of cases) {
      const entry = await read(npy(dict(descr, "(1, 2)"), [...data, ...data]));
      expect(entry.shape).toEqual([1, 2]);
      const values = await (entry.dtype.startsWith("F") ? readTensor(entry) : readIntegers(entry));
      expect(Array.from(values)).toEqual([value, value]);
    }
  });

  test("reads any spelling of the same dict", async () => {
    for (const header of [
      '{"shape":(2,),"fortran_order":False,"descr":"|u1"}',
      "{ 'shape' : ( 2L , ) , 'descr' : '|u1' , 'fortran_order' : True , } \n",
      dict("'|u1'", "(1, 2, 1)", "True"),
    ]) {
      expect(Array.from(await readIntegers(await read(npy(header, [3, 4]))))).toEqual([3, 4]);
    }
    expect((await read(npy(dict("'|u1'", "()"), [7]))).shape).toEqual([]);
    expect((await read(npy(dict("'<f8'", "(0, 5)")))).byteLength).toBe(0);
  });

  const types = "known are b1, u1, i1, u2, i2, f2, u4, i4, f4, u8, i8, f8, after <, > or |";
  const notPlain = (header: string, at: number) =>
    `header ${JSON.stringify(header)} is not that of a plain array (byte ${at} of it)`;
  const code = "__import__('os').system('ls')";
  const structured = dict("[('a', '<f4')]", "(3,)");
  const cases: [what: string, bytes: Uint8Array, problem: string][] = [
    ["other files", latin1("\x93NUMPX\x01\0v\0{}          "), "is not a NumPy .npy file"],
    ["a stub", latin1("\x93NUMPY\x01\0"), "is not a NumPy .npy file"],
    ["a later version", latin1("\x93NUMPY\x04\0v\0{}   "), "is of .npy version 4.0; known are 1.0, 2.0 and 3.0"],
    [
      "a header beyond the end",
      npy(dict("'|u1'", "()")).subarray(0, 40),
      "header length 55 is beyond the end of the file or 10000 bytes",
    ],
    [
      "a very long header",
      npy(dict("'|u1'", "()").padEnd(10_001), [1]),
      "header length 10001 is beyond the end of the file or 10000 bytes",
    ],
    ["structured types", npy(structured), "header field descr is a structured type: save its fields one by one"],
    ["objects", npy(dict("'|O'", "(1,)")), `header field descr: type "|O" is unknown; ${types}`],
    ["text", npy(dict("'<U1'", "(1,)")), `header field descr: type "<U1" is unknown; ${types}`],
    ["no byte order", npy(dict("'|f8'", "(1,)")), `header field descr: type "|f8" is unknown; ${types}`],
    ["complex numbers", npy(dict("'<c8'", "(1,)")), `header field descr: type "<c8" is unknown; ${types}`],
    [
      "a type of JavaScript",
      npy(dict("'<toString'", "(1,)")),
      `header field descr: type "<toString" is unknown; ${types}`,
    ],
    [
      "Fortran order",
      npy(dict("'|u1'", "(2, 1, 2)", "True"), [1, 2, 3, 4]),
      "header field fortran_order is True: save numpy.ascontiguousarray(array) instead",
    ],
    ["too little data", npy(dict("'<f4'", "(2,)"), [1]), "header field shape: F32 [2] needs 8 bytes, not 1"],
    ["too much data", npy(dict("'|u1'", "(2,)"), [1, 2, 3]), "header field shape: U8 [2] needs 2 bytes, not 3"],
    [
      "a product beyond counting",
      npy(dict("'|u1'", "(4294967296, 4294967296)")),
      "header field shape: U8 [4294967296, 4294967296] needs too many bytes, not 0",
    ],
    ["code", npy(code), notPlain(code, 0)],
  ];
  test.each(cases)("refuses %s", async (_, bytes, problem) => {
    await expect(read(bytes)).rejects.toThrow(new InputError("a.npy", problem));
  });

  test.each([
    "{}",
    "{'descr': '|u1', 'fortran_order': False}",
    "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': ()}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (), 'more': 1}",
    "{'descr': '|u1', 'fortran_order': 0, 'shape': ()}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 1)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (9007199254740993, )}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': [1]}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': ()} + {}",
    "{'descr': '|u1' 'fortran_order': False, 'shape': ()}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': ()",
    `{'descr': '|u1', 'fortran_order': False, 'shape': (${"1, ".repeat(65)})}`,
  ])("refuses the header %s", async (header) => {
    await expect(read(npy(header, [1]))).rejects.toThrow("is not that of a plain array");
  });

  test("survives any damage", async () => {
    const golden = npy(dict("'>f4'", "(2, 3)"), new Uint8Array(24));
    await fc.assert(
      fc.asyncProperty(mutations(golden.length), async (mutate) => {
        await readUntrusted(
          mutate(golden),
          async (source) => {
            const entry = await readNpyHeader(source);
            await entry.source.read(entry.offset, entry.byteLength);
          },
          2,
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("writeNpy", () => {
  test("writes what numpy.save writes", () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117);
    const expected = Uint8Array.from([...latin1(`\x93NUMPY\x01\0v\0${header}\n`), ...new Uint8Array(data.buffer)]);
    expect(writeNpy({ dtype: "F32", shape: [2, 3], data })).toEqual(expected);
  });

  test("writes what it reads", async () => {
    const vector = await read(
      writeNpy({ dtype: "F16", shape: [2], data: encodeFloats("F16", Float32Array.of(1, -2)) }),
    );
    expect(vector.shape).toEqual([2]);
    expect(Array.from(await readTensor(vector))).toEqual([1, -2]);
    const scalar = await read(writeNpy({ dtype: "BOOL", shape: [], data: Uint8Array.of(1) }));
    expect([scalar.dtype, scalar.shape, Array.from(await readIntegers(scalar))]).toEqual(["BOOL", [], [1]]);
  });

  test("refuses what NumPy does not have, and data that does not fit", () => {
    const data = encodeBFloat16(Float32Array.of(1));
    expect(() => writeNpy({ dtype: "BF16", shape: [1], data })).toThrow(new RangeError("NumPy has no type for BF16"));
    expect(() => writeNpy({ dtype: "F16", shape: [2], data })).toThrow("has 2 bytes where F16 [2] needs 4");
  });
});
