import { expect, test } from "vitest";
import { bytesSource } from "../../tensor/byte-source.js";
import { encodeFloats } from "../../tensor/dtype.js";
import { readTensor, type TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { changedHead } from "./changed-head.js";
import type { Head } from "./head.js";

const [vocabSize, hiddenSize] = [7, 4];
const stored = Float32Array.from({ length: vocabSize * hiddenSize }, (_, i) => i / 8);

function head(): Head {
  const bytes = new Uint8Array(2 + 2 * stored.length);
  bytes.set(encodeFloats("F16", stored), 2);
  const weight: TensorEntry = {
    name: "wte.weight",
    dtype: "F16",
    shape: [vocabSize, hiddenSize],
    offset: 2,
    byteLength: 2 * stored.length,
    source: bytesSource("file", bytes),
  };
  return { weight, bias: undefined, transform: { softCap: 3 }, tied: true, vocabSize, hiddenSize };
}

test("single rows change, wherever a read begins and ends; the rest is what it was", async () => {
  const ids = Int32Array.of(1, 5);
  const values = Float64Array.from({ length: 2 * hiddenSize }, (_, i) => -i - 1);
  const changed = changedHead(head(), { rows: { ids, values } });
  const wanted = stored.slice();
  wanted.set(Float32Array.from(values.slice(0, hiddenSize)), hiddenSize);
  wanted.set(Float32Array.from(values.slice(hiddenSize)), 5 * hiddenSize);
  expect(await readTensor(changed.weight)).toEqual(wanted);
  const bytes = encodeFloats("F16", wanted);
  for (let start = 0; start < bytes.length; start++) {
    for (let end = start; end <= bytes.length; end++) {
      expect(await changed.weight.source.read(start, end - start)).toEqual(bytes.slice(start, end));
    }
  }
  expect(changed).toMatchObject({ tied: false, transform: { softCap: 3 }, bias: undefined });
  expect(changed.weight.name).not.toBe("wte.weight");
});

test("a whole matrix is rounded to the number type; a bias stays float32", async () => {
  const weight = stored.map((value) => value + 1e-5);
  const bias = Float64Array.from({ length: vocabSize }, (_, i) => i / 3);
  const changed = changedHead(head(), { weight, bias });
  expect(changed.weight.dtype).toBe("F16");
  expect(await readTensor(changed.weight)).toEqual(
    await readTensor({ ...head().weight, source: bytesSource("", encodeFloats("F16", weight)), offset: 0 }),
  );
  expect(await readTensor(changed.bias!)).toEqual(Float32Array.from(bias));
});

test("a bias alone leaves E where it is", () => {
  const before = head();
  const after = changedHead(before, { bias: new Float64Array(vocabSize) });
  expect(after.weight).toBe(before.weight);
  expect(after.tied).toBe(true);
});

test.each([
  ["rows", { rows: { ids: Int32Array.of(1), values: new Float64Array(3) } }],
  ["ids", { rows: { ids: Int32Array.of(7), values: new Float64Array(4) } }],
  ["matrix", { weight: new Float32Array(5) }],
  ["bias", { bias: new Float64Array(6) }],
])("a change whose %s do not fit is refused", (_, change) => {
  expect(() => changedHead(head(), change)).toThrow(RangeError);
});
