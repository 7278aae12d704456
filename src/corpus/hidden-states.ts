import { InputError } from "../errors.js";
import type { ByteSource } from "../tensor/byte-source.js";
import { isFloatDType } from "../tensor/dtype.js";
import { readNpyHeader } from "../tensor/npy.js";
import { readSafetensorsHeader, readTensor, type TensorEntry } from "../tensor/safetensors/safetensors.js";
import { tensorRows } from "../tensor/tensor-rows.js";

/** Contexts read at a time: one run of the head. */
const blockContexts = 256;

/** Hidden states that were computed elsewhere: what the head multiplies, after the final norm, one row a context. */
export interface HiddenStates {
  readonly file: { name: string; bytes: number };
  /** N. */
  readonly contexts: number;
  /** Blocks of contexts, float32 [up to 256, d]. @throws InputError naming the first row with a number that is not finite */
  blocks(): AsyncGenerator<Float32Array>;
}

/**
 * Opens hidden states [n, d] or [batch, time, d] from a .npy file or from the tensor `hidden` (or the only one) of a
 * .safetensors file.
 * @throws InputError if the file holds no such array of that width
 */
export async function openHiddenStates(source: ByteSource, hiddenSize: number): Promise<HiddenStates> {
  const tensor = source.name.endsWith(".npy") ? await readNpyHeader(source) : await hiddenTensor(source);
  const { shape } = tensor;
  if (!isFloatDType(tensor.dtype) || shape.length < 2 || shape.length > 3 || shape.at(-1) !== hiddenSize) {
    throw new InputError(
      source.name,
      `holds ${tensor.dtype} [${shape.join(", ")}]; hidden states of this model are floats [n, ${hiddenSize}]`,
    );
  }
  const contexts = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  if (contexts < 2) throw new InputError(source.name, `has ${contexts} hidden states; at least two are needed`);
  return {
    file: { name: source.name, bytes: source.size },
    contexts,
    async *blocks() {
      for (let start = 0; start < contexts; start += blockContexts) {
        const block = await readTensor(tensorRows(tensor, start, Math.min(start + blockContexts, contexts)));
        const bad = block.findIndex((value) => !Number.isFinite(value));
        if (bad >= 0) {
          const row = start + Math.floor(bad / hiddenSize);
          throw new InputError(source.name, `row ${row} holds ${block[bad]} at dimension ${bad % hiddenSize}`);
        }
        yield block;
      }
    },
  };
}

async function hiddenTensor(source: ByteSource): Promise<TensorEntry> {
  const { tensors } = await readSafetensorsHeader(source);
  const tensor = tensors.get("hidden") ?? (tensors.size === 1 ? [...tensors.values()][0] : undefined);
  if (tensor !== undefined) return tensor;
  const names = [...tensors.keys()].slice(0, 5).join(", ");
  throw new InputError(
    source.name,
    `has no tensor "hidden" and ${tensors.size} tensors (${names}); name one of them so`,
  );
}
