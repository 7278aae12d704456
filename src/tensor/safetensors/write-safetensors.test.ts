import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { bytesSource } from "../byte-source.js";
import { encodeFloat16 } from "../dtype.js";
import { readSafetensorsHeader, readTensor } from "./safetensors.js";
import { layOutSafetensors, safetensorsChunks, writeSafetensors } from "./write-safetensors.js";

test("writes the same bytes as the reference implementation", async () => {
  const path = "test/goldens/arch/gpt2/model.safetensors";
  const bytes = new Uint8Array(await readFile(path));
  const { tensors, metadata } = await readSafetensorsHeader(bytesSource(path, bytes));
  const data = [...tensors.values()].map((entry) => ({
    ...entry,
    data: bytes.subarray(entry.offset, entry.offset + entry.byteLength),
  }));
  expect(writeSafetensors(data.reverse(), metadata)).toEqual(bytes);
});

test("orders by width of type, then by name in code points, and sorts the metadata", async () => {
  const file = writeSafetensors(
    [
      { name: "\u{1F600}", dtype: "F32", shape: [], data: Float32Array.of(1) },
      { name: "\uFFFD", dtype: "F32", shape: [1], data: Float32Array.of(2) },
      { name: "b", dtype: "F16", shape: [1, 2], data: encodeFloat16(Float32Array.of(3, 4)) },
      { name: "ab", dtype: "F32", shape: [0, 3], data: new Float32Array(0) },
      { name: "a", dtype: "F32", shape: [1], data: Float32Array.of(5) },
      { name: "ids", dtype: "I64", shape: [1], data: BigInt64Array.of(6n) },
      { name: 'quote" ', dtype: "U8", shape: [1], data: Uint8Array.of(7) },
    ],
    { z: "1", a: 'two\n"' },
  );
  const { tensors, metadata } = await readSafetensorsHeader(bytesSource("written", file));
  expect([...tensors.keys()]).toEqual(["ids", "a", "ab", "\uFFFD", "\u{1F600}", "b", 'quote" ']);
  expect(Object.entries(metadata)).toEqual([
    ["a", 'two\n"'],
    ["z", "1"],
  ]);
  expect(tensors.get("ids")!.offset % 8).toBe(0);
  expect(Array.from(await readTensor(tensors.get("b")!))).toEqual([3, 4]);
  expect(Array.from(await readTensor(tensors.get("\u{1F600}")!))).toEqual([1]);
});

test("lays out tensors whose bytes come later", () => {
  const { header, tensors } = layOutSafetensors([
    { name: "b", dtype: "F16", shape: [3], from: "somewhere" },
    { name: "a", dtype: "F32", shape: [2], from: "elsewhere" },
  ]);
  expect(tensors.map((tensor) => tensor.from)).toEqual(["elsewhere", "somewhere"]);
  expect(header.length % 8).toBe(0);
  expect(JSON.parse(new TextDecoder().decode(header.subarray(8)))).toEqual({
    a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    b: { dtype: "F16", shape: [3], data_offsets: [8, 14] },
  });
});

test("does not copy the data into its chunks", () => {
  const data = Float32Array.of(1, 2);
  const [, chunk] = safetensorsChunks([{ name: "a", dtype: "F32", shape: [2], data }]);
  expect(chunk?.buffer).toBe(data.buffer);
});

test("refuses data that is not what dtype and shape say", () => {
  const data = Float32Array.of(1, 2);
  const a = { name: "a", dtype: "F32", shape: [2], data } as const;
  expect(() => writeSafetensors([a, a])).toThrow('two tensors are named "a"');
  expect(() => writeSafetensors([{ ...a, name: "__metadata__" }])).toThrow("cannot be named");
  expect(() => writeSafetensors([{ ...a, shape: [3] }])).toThrow('tensor "a" has 8 bytes where F32 [3] needs 12');
  expect(() => writeSafetensors([{ ...a, shape: [-1, -2] }])).toThrow("impossible shape [-1, -2]");
  expect(() => writeSafetensors([{ ...a, dtype: "I32" }])).toThrow("a Float32Array does not hold I32 numbers");
});
