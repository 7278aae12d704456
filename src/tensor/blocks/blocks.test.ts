import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bytesSource } from "../byte-source.js";
import { findNonFinite } from "../non-finite.js";
import { readTensor, type TensorEntry } from "../safetensors/safetensors.js";
import { tensorRows } from "../tensor-rows.js";
import { blocksOf, blockTensor, storedType } from "./block-tensor.js";
import { type BlockType, blockRowBytes, blockTypeNames, blockTypes } from "./block-types.js";
import { codeRange, dequantise, unpackBlocks } from "./unpack-blocks.js";

interface Golden {
  rows: number;
  columns: number;
  types: Record<BlockType, { id: number; quantised: string; dequantised: string }>;
}

const golden = JSON.parse(readFileSync("test/goldens/gguf/blocks.json", "utf8")) as Golden;
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

test.each(blockTypeNames)("%s: dequantised to the bit as ggml does it", (type) => {
  const { id, quantised, dequantised } = golden.types[type];
  expect(blockTypes[type].id).toBe(id);
  const blocks = bytesOf(quantised);
  expect(blocks.length).toBe(golden.rows * blockRowBytes(type, golden.columns));
  expect(new Uint8Array(dequantise(type, blocks).buffer)).toEqual(bytesOf(dequantised));
});

test.each(blockTypeNames)("%s: any bytes are blocks, whose numbers stay in the type's range", (type) => {
  const bytes = Uint8Array.from({ length: 64 * blockTypes[type].bytes }, (_, i) => (i * 2654435761) >>> 24);
  const { codes } = unpackBlocks(type, bytes);
  const { least, most } = codeRange(type);
  const [lowest, highest] = [Math.min(...codes), Math.max(...codes)];
  expect(lowest).toBeGreaterThanOrEqual(least);
  expect(highest).toBeLessThanOrEqual(most);
  // Both ends occur among thousands of numbers.
  expect([lowest, highest]).toEqual([least, most]);
});

test("a tensor in blocks is read as float32, whole, in rows and in any range of bytes", async () => {
  const { quantised, dequantised } = golden.types.Q4_K;
  const source = bytesSource("model.gguf", Uint8Array.of(9, 9, ...bytesOf(quantised)));
  const tensor = blockTensor("w", [golden.rows, golden.columns], { type: "Q4_K", source, offset: 2 });
  const wanted = new Float32Array(bytesOf(dequantised).buffer);
  expect(await readTensor(tensor)).toEqual(wanted);
  expect(await readTensor(tensorRows(tensor, 1, 2))).toEqual(wanted.subarray(golden.columns));
  expect(await tensor.source.read(4 * golden.columns - 6, 11)).toEqual(
    bytesOf(dequantised).subarray(4 * golden.columns - 6, 4 * golden.columns + 5),
  );
  expect(storedType(tensor)).toBe("Q4_K");
  expect(blocksOf(tensorRows(tensor, 1, 2))).toMatchObject({
    rows: 1,
    offset: 2 + blockRowBytes("Q4_K", golden.columns),
  });
});

test.each(blockTypeNames)("%s: a scale that is not finite is found, by the weight that it spoils", async (type) => {
  const { weights, bytes } = blockTypes[type];
  for (const bits of [0x7c00, 0xfc00, 0x7e00]) {
    for (let place = 0; place + 2 <= bytes; place += 2) {
      const stored = new Uint8Array((4 * golden.columns * bytes) / weights).fill(1);
      const block = stored.subarray(stored.length - bytes);
      block[place] = bits & 255;
      block[place + 1] = bits >> 8;
      const shape = [4, golden.columns];
      const tensor = blockTensor("w", shape, { type, source: bytesSource("m.gguf", stored), offset: 0 });
      const first = dequantise(type, stored).findIndex((weight) => !Number.isFinite(weight));
      const found = await findNonFinite(tensor);
      expect(found?.index ?? -1).toBe(first);
      if (found) expect(found.value).toBe(`${dequantise(type, stored)[first]!}`);
    }
  }
});

test("a tensor that is laid out otherwise than its blocks has none", () => {
  const source = bytesSource("model.gguf", bytesOf(golden.types.Q8_0.quantised));
  const tensor = blockTensor("w", [golden.rows, golden.columns], { type: "Q8_0", source, offset: 0 });
  const narrower: TensorEntry = { ...tensor, shape: [2 * golden.rows, golden.columns / 2] };
  expect(blocksOf(narrower)).toBeUndefined();
  expect(blocksOf({ ...tensor, offset: 4, byteLength: tensor.byteLength - 4 })).toBeUndefined();
  expect(blocksOf({ ...tensor, source })).toBeUndefined();
  expect(() => blockRowBytes("Q4_K", 100)).toThrow("100 weights are no whole blocks of Q4_K");
});
