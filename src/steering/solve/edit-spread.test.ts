import { expect, test } from "vitest";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import { editSpread, spreadOf } from "./edit-spread.js";

test("an even edit is spread over all dimensions, a single one over one", () => {
  const even = spreadOf(new Float64Array(16).fill(0.25))!;
  expect(even.effectiveDimensions).toBeCloseTo(16, 10);
  expect(even.dimensionsFor).toMatchObject({ 50: 8, 80: 13 });
  const single = spreadOf(Float64Array.of(0, 3, 0))!;
  expect(single).toMatchObject({ effectiveDimensions: 1, dimensionsFor: { 95: 1 } });
  expect(single.largest[0]).toEqual({ dimension: 1, share: 1 });
  expect(spreadOf(new Float64Array(3))).toBeUndefined();
});

test("the change is the new rows' from the old ones'", async () => {
  const weight = memoryTensor("e", "F32", [3, 2], Float64Array.of(0, 0, 1, 2, 3, 4));
  const head = { weight, bias: undefined, transform: {}, tied: false, vocabSize: 3, hiddenSize: 2 };
  const spread = await editSpread(head, { ids: Int32Array.of(1, 2), values: Float64Array.of(1, 3, 4, 6) });
  // Squared changes: 0 + 1 and 1 + 4.
  expect(spread!.largest).toEqual([
    { dimension: 1, share: 5 / 6 },
    { dimension: 0, share: 1 / 6 },
  ]);
  expect(spread!.effectiveDimensions).toBeCloseTo(36 / 26, 12);
});
