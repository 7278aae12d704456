import { computedRows } from "../computed-rows.js";
import type { TensorEntry } from "../safetensors/safetensors.js";
import { wrongTensor } from "./wrong-tensor.js";

/** Values of the 16 codes of float4 E2M1 (OCP Microscaling Formats 1.0). */
const magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
const values = Float32Array.from([...magnitudes, ...magnitudes.map((value) => -value)]);

/** Weights that share a power of two, two to a byte. */
const [blockWeights, blockBytes] = [32, 16];

/**
 * Matrices in MXFP4, as gpt-oss stores its experts', as float32 ones whose rows are made when they are read.
 * @param name of the tensor that is made, [experts, rows, 32 blocks]
 * @param blocks U8 [experts, rows, blocks, 16], the lower half of a byte first @param scales U8 [experts, rows, blocks]: exponents, 127 for 0
 * @throws InputError naming the tensor whose number type or shape does not fit
 */
export function mxfp4Matrices(name: string, blocks: TensorEntry, scales: TensorEntry): TensorEntry {
  const [experts, rows, count, bytes] = blocks.shape;
  if (blocks.dtype !== "U8" || blocks.shape.length !== 4 || bytes !== blockBytes) {
    throw wrongTensor(blocks, "where U8 [experts, rows, blocks, 16] is wanted");
  }
  const wanted = [experts!, rows!, count!];
  if (scales.dtype !== "U8" || scales.shape.length !== 3 || wanted.some((size, axis) => size !== scales.shape[axis])) {
    throw wrongTensor(scales, `where U8 [${wanted.join(", ")}] is wanted`);
  }
  const width = count! * blockWeights;
  const source = computedRows({
    name: blocks.source.name,
    rows: experts! * rows!,
    rowBytes: 4 * width,
    async make(start, end) {
      const first = start * count!;
      const number = (end - start) * count!;
      const codes = await blocks.source.read(blocks.offset + first * blockBytes, number * blockBytes);
      const exponents = await scales.source.read(scales.offset + first, number);
      const made = new Float32Array(number * blockWeights);
      for (let at = 0; at < codes.length; at++) {
        const scale = 2 ** (exponents[Math.floor(at / blockBytes)]! - 127);
        made[2 * at] = values[codes[at]! & 15]! * scale;
        made[2 * at + 1] = values[codes[at]! >> 4]! * scale;
      }
      return new Uint8Array(made.buffer);
    },
  });
  return { name, dtype: "F32", shape: [experts!, rows!, width], offset: 0, byteLength: source.size, source };
}
