import { blockRowsOf, shareBlockRows } from "../../tensor/blocks/block-rows.js";
import { blocksOf, blockTensor } from "../../tensor/blocks/block-tensor.js";
import { blockRowBytes } from "../../tensor/blocks/block-types.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { checkRange } from "../../tensor/byte-source.js";
import { bytesPerElement, encodeFloats, type FloatDType } from "../../tensor/dtype.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { Head } from "./head.js";
import type { HeadChange } from "./head-change.js";

/**
 * The head with a change made: E' in E's own number type or the one asked for, under a name of its own so that a tied input embedding keeps
 * E; b' in float32. Rows that stay are read from where E lies.
 * @throws RangeError if the change does not have the head's shape
 */
export function changedHead(head: Head, change: HeadChange): Head {
  const { weight, bias, vocabSize } = head;
  const changed = change.weight === undefined && change.rows === undefined ? weight : changedWeight(weight, change);
  if (change.bias === undefined) return { ...head, weight: changed, tied: head.tied && changed === weight };
  if (change.bias.length !== vocabSize) {
    throw new RangeError(`a bias of ${change.bias.length} numbers for a vocabulary of ${vocabSize}`);
  }
  return {
    ...head,
    weight: changed,
    bias: memoryTensor(bias?.name ?? "lm_head.bias", "F32", [vocabSize], change.bias),
    tied: head.tied && changed === weight,
  };
}

function changedWeight(weight: TensorEntry, { weight: whole, rows, dtype: wanted }: HeadChange): TensorEntry {
  const [vocabSize, hiddenSize] = weight.shape as [number, number];
  const dtype = weight.dtype as FloatDType;
  if (whole !== undefined) {
    return memoryTensor("lm_head.weight", wanted ?? dtype, [vocabSize, hiddenSize], whole);
  }
  const { ids, values } = rows!;
  if (values.length !== ids.length * hiddenSize || ids.some((id) => id < 0 || id >= vocabSize)) {
    throw new RangeError(`${ids.length} changed rows do not fit a matrix of [${vocabSize}, ${hiddenSize}]`);
  }
  const blocks = blocksOf(weight);
  if (blocks !== undefined) {
    const rowBytes = blockRowBytes(blocks.type, hiddenSize);
    const place = { source: blocks.source, offset: blocks.offset, byteLength: vocabSize * rowBytes };
    const source = overlaid(place, ids, blockRowsOf(weight)!.bytesOf(values), rowBytes);
    const changed = blockTensor("lm_head.weight", weight.shape, { type: blocks.type, source, offset: 0 });
    shareBlockRows(weight, changed);
    return changed;
  }
  const rowBytes = hiddenSize * bytesPerElement[dtype];
  const source = overlaid(weight, ids, encodeFloats(dtype, values), rowBytes);
  return { ...weight, name: "lm_head.weight", source, offset: 0 };
}

/** A tensor's bytes with some rows replaced. @param rows one after the other, in the order of their ids */
function overlaid(
  tensor: Pick<TensorEntry, "source" | "offset" | "byteLength">,
  ids: Int32Array,
  rows: Uint8Array,
  rowBytes: number,
): ByteSource {
  const source: ByteSource = {
    name: `${tensor.source.name} (changed rows)`,
    size: tensor.byteLength,
    async read(offset, length) {
      checkRange(source, offset, length);
      const bytes = new Uint8Array(await tensor.source.read(tensor.offset + offset, length));
      for (const [index, id] of ids.entries()) {
        const start = Math.max(id * rowBytes, offset);
        const end = Math.min((id + 1) * rowBytes, offset + length);
        if (start >= end) continue;
        const shift = index * rowBytes - id * rowBytes;
        bytes.set(rows.subarray(start + shift, end + shift), start - offset);
      }
      return bytes;
    },
  };
  return source;
}
