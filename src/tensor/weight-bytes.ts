import { storedBytes } from "./blocks/block-tensor.js";
import type { ByteSource } from "./byte-source.js";
import type { TensorEntry } from "./safetensors/safetensors.js";

/** Bytes of tensors as they are stored, those that are one counted once. */
export function weightBytes(tensors: ReadonlyMap<string, TensorEntry>): number {
  const counted = new Map<ByteSource, Set<number>>();
  let bytes = 0;
  for (const tensor of tensors.values()) {
    const offsets = counted.get(tensor.source) ?? new Set();
    if (!offsets.has(tensor.offset)) bytes += storedBytes(tensor);
    counted.set(tensor.source, offsets.add(tensor.offset));
  }
  return bytes;
}
