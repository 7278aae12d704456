import { InferenceSession, Tensor } from "onnxruntime-node";

/** Keys and values of what was read so far. */
type Past = Record<string, Tensor>;

/** A model with key-value cache as it was written, in onnxruntime alone; one text at a time. */
export interface OnnxDecoder {
  /** Reads tokens after what was read so far. @param length of that @returns logits [ids.length, V] */
  step(ids: readonly number[], past: Past, length: number): Promise<{ logits: Float32Array; past: Past }>;
  /** What has read nothing. */
  empty(): Past;
  release(): Promise<void>;
}

/** @param file `onnx/model.onnx` of a written folder @param heads and what each is wide */
export async function onnxDecoder(
  file: string,
  { heads, headDim, threads }: { heads: number; headDim: number; threads: number },
): Promise<OnnxDecoder> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  const int64 = (row: readonly number[]) => new Tensor("int64", BigInt64Array.from(row, BigInt), [1, row.length]);
  const names = session.inputNames.filter((name) => name.startsWith("past_key_values"));
  const nothing = () => new Tensor("float32", new Float32Array(0), [1, heads, 0, headDim]);
  return {
    async step(ids, past, length) {
      const { logits, ...present } = await session.run({
        input_ids: int64(ids),
        attention_mask: int64(Array(length + ids.length).fill(1)),
        position_ids: int64(ids.map((_, i) => length + i)),
        ...past,
      });
      const renamed = Object.entries(present).map(([name, tensor]) => [
        name.replace("present", "past_key_values"),
        tensor,
      ]);
      return { logits: logits!.data as Float32Array, past: Object.fromEntries(renamed) };
    },
    empty: () => Object.fromEntries(names.map((name) => [name, nothing()])),
    release: () => session.release(),
  };
}
