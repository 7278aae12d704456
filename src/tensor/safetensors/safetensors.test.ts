import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { type ByteSource, bytesSource } from "../byte-source.js";
import { readIntegers, readSafetensorsHeader, readTensor, readTensorFloat64, type TensorEntry } from "./safetensors.js";

/** A file with this header (text or value), padding as the text itself has it, and that many zero bytes of data. */
function file(header: unknown, dataLength = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function read(bytes: Uint8Array) {
  return readSafetensorsHeader(bytesSource("model.safetensors", bytes));
}

async function problem(bytes: Uint8Array): Promise<string> {
  try {
    await read(bytes);
  } catch (error) {
    if (error instanceof InputError && error.place === "model.safetensors") return error.problem;
    throw error;
  }
  return "none";
}

const f32 = (begin: number, ...shape: number[]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, begin + 4 * shape.reduce((a, b) => a * b, 1)],
});

describe("a checkpoint written by transformers", async () => {
  const path = "test/goldens/arch/gpt2/model.safetensors";
  const bytes = new Uint8Array(await readFile(path));
  const { tensors, metadata } = await readSafetensorsHeader(bytesSource(path, bytes));

  test("has its tensors where the header says", () => {
    expect(metadata).toEqual({ format: "pt" });
    const bias = tensors.get("transformer.h.0.attn.c_attn.bias");
    expect(bias).toMatchObject({ dtype: "F32", shape: [72], byteLength: 288 });
    expect([...tensors.values()].reduce((total, tensor) => total + tensor.byteLength, 0)).toBe(
      bytes.length - 8 - Number(new DataView(bytes.buffer).getBigUint64(0, true)),
    );
  });

  test("reads a tensor as its little-endian floats", async () => {
    const entry = tensors.get("transformer.h.0.attn.c_attn.weight")!;
    const values = await readTensor(entry);
    expect(values.length).toBe(24 * 72);
    const data = new DataView(bytes.buffer, bytes.byteOffset);
    for (const i of [0, 1, 777, 24 * 72 - 1]) expect(values[i]).toBe(data.getFloat32(entry.offset + 4 * i, true));
    expect(Array.from(await readTensorFloat64(entry))).toEqual(Array.from(values));
  });
});

test("reads whole numbers, and refuses to take one kind of number for another", async () => {
  const bytes = file({ ids: { dtype: "I64", shape: [2], data_offsets: [0, 16] }, w: f32(16, 1) }, 20);
  new DataView(bytes.buffer).setBigInt64(bytes.length - 20, -5n, true);
  new DataView(bytes.buffer).setBigInt64(bytes.length - 12, 2n ** 40n, true);
  const { tensors } = await read(bytes);
  const ids = tensors.get("ids")!;
  expect(Array.from(await readIntegers(ids))).toEqual([-5, 2 ** 40]);
  await expect(readTensor(ids)).rejects.toThrow(
    'model.safetensors: tensor "ids" has number type I64 where floating-point numbers are wanted',
  );
  await expect(readIntegers(tensors.get("w")!)).rejects.toThrow('"w" has number type F32 where whole numbers');
  new DataView(bytes.buffer).setBigInt64(bytes.length - 12, 2n ** 60n, true);
  await expect(readIntegers(ids)).rejects.toThrow('tensor "ids": element 1 is 1152921504606846976, beyond 2^53');
});

test("takes empty tensors, scalars, any order, space around and strange names", async () => {
  const header = `  {"b": ${JSON.stringify(f32(4))}, "__proto__": ${JSON.stringify(f32(4, 0, 7))},
    "a": ${JSON.stringify(f32(0))}, "": ${JSON.stringify(f32(8, 1, 1))}}   `;
  const { tensors, metadata } = await read(file(header, 12));
  expect([...tensors.keys()]).toEqual(["a", "__proto__", "b", ""]);
  expect(tensors.get("__proto__")).toMatchObject({ shape: [0, 7], byteLength: 0 } satisfies Partial<TensorEntry>);
  expect(await readTensor(tensors.get("__proto__")!)).toEqual(new Float32Array(0));
  expect(metadata).toEqual({});
  expect((await read(file({}))).tensors.size).toBe(0);
});

describe("refuses, in one line,", () => {
  const cases: [what: string, bytes: Uint8Array, problem: string][] = [
    ["an empty file", new Uint8Array(0), "is 0 bytes long, too short for a safetensors file"],
    [
      "a header beyond the end",
      file({}).fill(0xff, 0, 8),
      "header length 18446744073709551615 is beyond the end of the file (10 bytes): cut off, or not a safetensors file",
    ],
    ["a header that is no object", file("[]"), "header is not a JSON object"],
    ["a header that is null", file("null"), "header is not a JSON object"],
    ["two tensors of one name", file(`{"a": ${JSON.stringify(f32(0))}, "a": 1}`, 4), 'header names "a" twice'],
    ["metadata that is no object", file({ __metadata__: [] }), 'header field "__metadata__": is not an object'],
    ["metadata other than text", file({ __metadata__: { a: 1 } }), 'header field "__metadata__": "a" is not a string'],
    ["an entry that is no object", file({ x: 3 }), 'header field "x": is not an object'],
    [
      "an unknown dtype",
      file({ x: { ...f32(0), dtype: "toString" } }, 4),
      'header field "x": dtype "toString" is unknown; known are BOOL, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64',
    ],
    ["no dtype", file({ x: { ...f32(0), dtype: 3 } }, 4), 'header field "x": dtype is missing or not a string'],
    [
      "a negative size",
      file({ x: { ...f32(0), shape: [-1, -1] } }, 4),
      'header field "x": shape is missing or not an array of whole numbers',
    ],
    [
      "a size beyond counting",
      file('{"x": {"dtype": "F32", "shape": [9007199254740993], "data_offsets": [0, 4]}}', 4),
      'header field "x": shape is missing or not an array of whole numbers',
    ],
    [
      "a product beyond counting",
      file({ x: { ...f32(0), shape: [2 ** 30, 2 ** 30, 0] } }, 4),
      'header field "x": shape [1073741824, 1073741824, 0] is too large',
    ],
    [
      "too many dimensions",
      file({ x: { ...f32(0), shape: Array(65).fill(1) } }, 4),
      'header field "x": shape has 65 dimensions, more than 64',
    ],
    [
      "offsets that are not two",
      file({ x: { ...f32(0), data_offsets: [0, 4, 8] } }, 4),
      'header field "x": data_offsets is missing or not two whole numbers',
    ],
    [
      "another number of bytes than dtype and shape need",
      file({ x: { ...f32(0, 3), data_offsets: [0, 8] } }, 8),
      'header field "x": data_offsets [0, 8] hold 8 bytes where F32 [3] needs 12',
    ],
    [
      "offsets that run backwards",
      file({ x: { ...f32(0), data_offsets: [8, 4] } }, 8),
      'header field "x": data_offsets [8, 4] hold -4 bytes where F32 [] needs 4',
    ],
    [
      "a file that is cut off",
      file({ x: f32(0, 3) }, 11),
      'header field "x": data_offsets [0, 12] end beyond the file\'s 11 bytes of data: cut off, download it again',
    ],
    [
      "tensors that overlap",
      file({ x: f32(0, 2), y: f32(4, 2) }, 12),
      'header field "y": data_offsets [4, 12] overlap another tensor\'s',
    ],
    [
      "a hole",
      file({ x: f32(0, 2), y: f32(9, 2) }, 17),
      'header field "y": data_offsets [9, 17] leave a hole after byte 8',
    ],
    ["bytes of no tensor", file({ x: f32(0, 2) }, 9), "1 bytes at its end belong to no tensor of the header"],
  ];
  test.each(cases)("%s", async (_, bytes, expected) => {
    expect(await problem(bytes)).toBe(expected);
  });
});

describe("survives", async () => {
  const golden = new Uint8Array(await readFile("test/goldens/arch/gpt2/model.safetensors"));
  const headerLength = Number(new DataView(golden.buffer, golden.byteOffset).getBigUint64(0, true));
  const header = new TextDecoder().decode(golden.subarray(8, 8 + headerLength));
  const data = golden.subarray(8 + headerLength);

  async function readAll(source: ByteSource): Promise<void> {
    const { tensors } = await readSafetensorsHeader(source);
    for (const entry of tensors.values()) if (entry.dtype === "F32") await readTensor(entry);
  }

  test("any damage to the bytes of a header", async () => {
    await fc.assert(
      fc.asyncProperty(mutations(8 + headerLength), async (mutate) => {
        await readUntrusted(mutate(golden), readAll);
      }),
      { numRuns: 300 },
    );
  });

  test("any value in the place of another", async () => {
    const places = [...header.matchAll(/"[^"]*"|\d+|\[[^\]]*\]|\{[^{}]*\}/g)];
    const values = ["-1", "0", "1e999", "1.5", "9007199254740993", "4294967296", "null", "[]", "{}", "true", '""'];
    const strange = ['"__proto__"', '"__metadata__"', '"constructor"', '"F16"', '"\\ud800"', "[[[[", "[1,1,1,1]"];
    const change = fc.tuple(fc.constantFrom(...places), fc.constantFrom(...values, ...strange));
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(change, async ([place, value]) => {
        const changed = header.slice(0, place.index) + value + header.slice(place.index + place[0].length);
        const bytes = file(changed, data.length);
        bytes.set(data, bytes.length - data.length);
        if (await readUntrusted(bytes, readAll)) accepted++;
      }),
      { numRuns: 300 },
    );
    // Only a name can be another one.
    expect(accepted).toBeLessThan(150);
  });
});
