import { expect, test } from "vitest";
import { blockRowsOf } from "../../../tensor/blocks/block-rows.js";
import { blockTensor } from "../../../tensor/blocks/block-tensor.js";
import { blockRowBytes, blockTypeNames } from "../../../tensor/blocks/block-types.js";
import { bytesSource } from "../../../tensor/byte-source.js";
import { moveCodes } from "./move-codes.js";

const d = 256;

test.each(blockTypeNames)("%s: ln alpha moves as far as is wanted, by the numbers that blocks have", (type) => {
  const source = bytesSource("w", new Uint8Array(blockRowBytes(type, d)));
  const blocks = blockRowsOf(blockTensor("w", [1, d], { type, source, offset: 0 }))!;
  const values = blocks.round(Float64Array.from({ length: 2 * d }, (_, i) => Math.sin(i * 12.9898) / 4));
  const gradient = Float64Array.from({ length: 2 * d }, (_, i) => 0.01 * Math.cos(i * 78.233));
  for (const wanted of [0.01, -0.005, 0.001]) {
    const moved = values.slice();
    moveCodes(blocks, moved, gradient, [1], { d, alpha: 0.1, wanted, enough: 1e-7 });
    const reached = moved.reduce((sum, value, i) => sum + (gradient[i]! * (value - values[i]!)) / 0.1, 0);
    expect(Math.abs(reached - wanted)).toBeLessThan(2e-5);
    // The other row stays, and what was moved is what will be written.
    expect(moved.subarray(0, d)).toEqual(values.subarray(0, d));
    expect(blocks.round(moved)).toEqual(moved);
  }
});
