import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { readRows } from "../../tensor/tensor-rows.js";
import type { Head } from "./head.js";

/**
 * Single rows of a head: of E only these are read.
 * @param ids m tokens, in any order
 * @returns E_w, float64 [m, d], and b_w [m], 0 where the head has no bias
 */
export async function readHeadRows(
  { weight, bias }: Head,
  ids: readonly number[],
): Promise<{ rows: Float64Array; biases: Float64Array }> {
  const all = bias && (await readTensorFloat64(bias));
  return { rows: await readRows(weight, ids), biases: Float64Array.from(ids, (id) => all?.[id] ?? 0) };
}
