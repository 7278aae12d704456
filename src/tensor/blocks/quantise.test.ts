import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesSource } from "../byte-source.js";
import { blockRowsOf, shareBlockRows } from "./block-rows.js";
import { blockTensor } from "./block-tensor.js";
import { type BlockType, blockTypeNames, blockTypes } from "./block-types.js";
import { quantise } from "./quantise.js";
import { setCodes } from "./set-codes.js";
import { dequantise, unpackBlocks } from "./unpack-blocks.js";

interface Golden {
  columns: number;
  weights: string;
  types: Record<BlockType, { quantised: string }>;
}

const golden = JSON.parse(readFileSync("test/goldens/gguf/blocks.json", "utf8")) as Golden;
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
const weights = new Float32Array(bytesOf(golden.weights).buffer);
const errorOf = (values: Float32Array) => Math.hypot(...values.map((value, i) => value - weights[i]!));

test.each(["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"] as const)("%s: quantised to ggml's own bytes", (type) => {
  expect(quantise(type, weights)).toEqual(bytesOf(golden.types[type].quantised));
});

test.each(blockTypeNames)("%s: quantised as near as ggml does it", (type) => {
  const theirs = errorOf(dequantise(type, bytesOf(golden.types[type].quantised)));
  expect(errorOf(dequantise(type, quantise(type, weights)))).toBeLessThan(1.01 * theirs);
});

test.each(blockTypeNames)("%s: what is put into blocks is found in them, scales as they were", (type) => {
  const bytes = bytesOf(golden.types[type].quantised);
  const before = unpackBlocks(type, bytes);
  const codes = before.codes.toReversed();
  setCodes(type, bytes, codes);
  expect(unpackBlocks(type, bytes)).toEqual({ ...before, codes });
});

test.each(blockTypeNames)("%s: any weights become blocks with finite numbers", (type) => {
  const weight = fc.oneof(fc.constant(0), fc.float({ min: -100, max: 100, noNaN: true }));
  const { weights: length } = blockTypes[type];
  fc.assert(
    fc.property(fc.array(weight, { minLength: length, maxLength: length }), (values) => {
      const most = Math.max(...values.map(Math.abs));
      const made = dequantise(type, quantise(type, Float32Array.from(values)));
      // Half a step of the coarsest type is a third of the range.
      expect(made.every((value, i) => Math.abs(value - values[i]!) <= 0.75 * most + 1e-6)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("zeros stay zeros", () => {
  for (const type of blockTypeNames) {
    expect([...dequantise(type, quantise(type, new Float32Array(256)))].every((value) => value === 0)).toBe(true);
  }
});

/** A matrix of zeros, for rows that are to go into it. */
function empty(type: BlockType) {
  const { columns } = golden;
  const source = bytesSource("w", new Uint8Array((columns / blockTypes[type].weights) * blockTypes[type].bytes));
  return blockTensor("w", [1, columns], { type, source, offset: 0 });
}

test.each(blockTypeNames)("%s: rows are written as exactly what they were rounded to", (type) => {
  const rows = blockRowsOf(empty(type))!;
  const rounded = rows.round(Float64Array.from(weights));
  expect([...dequantise(type, rows.bytesOf(rounded))]).toEqual([...rounded]);
  // One weight up and another down, where the type has a next number.
  const row = rounded.slice(0, golden.columns);
  const { up, down } = rows.steps(row);
  const [first, second] = [up.findIndex((step) => step !== 0), down.findLastIndex((step) => step !== 0)];
  const moves = new Int8Array(golden.columns);
  moves[first] = 1;
  moves[second] = -1;
  const moved = rows.moved(row, moves);
  expect([...dequantise(type, rows.bytesOf(moved))]).toEqual([...moved]);
  expect(moved[first]! - row[first]!).toBeCloseTo(up[first]!, 6);
  expect(moved[second]! - row[second]!).toBeCloseTo(down[second]!, 6);
  expect(moved.filter((value, i) => value !== row[i])).toHaveLength(2);
  // Blocks that are copied are written as they are.
  const copied = rows.copied(bytesOf(golden.types[type].quantised).slice(0, rows.bytesOf(row).length));
  expect(rows.bytesOf(copied)).toEqual(bytesOf(golden.types[type].quantised).slice(0, rows.bytesOf(row).length));
});

test("a changed matrix knows the rows of the one that it was made from", () => {
  const [from, to] = [empty("Q4_K"), empty("Q4_K")];
  shareBlockRows(from, to);
  expect(blockRowsOf(to)).toBe(blockRowsOf(from));
  expect(blockRowsOf(empty("Q4_K"))).not.toBe(blockRowsOf(from));
});
