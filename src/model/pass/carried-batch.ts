/** A batch of windows that goes through the parts as float32, beside those that lie in float16 between them. */
export interface CarriedBatch {
  /** @param run one part over the batch: given what the layers before it put out, undefined at the first */
  carry(run: (input: Float32Array | undefined) => Promise<Float32Array>): Promise<void>;
  /** Largest difference of the batch as it came out from this one, as a share of the largest magnitude. */
  of(found: Float32Array): number;
}

export function carriedBatch(): CarriedBatch {
  let exact: Float32Array | undefined;
  return {
    async carry(run) {
      exact = await run(exact);
    },
    of(found) {
      let [difference, largest] = [0, 0];
      for (const [i, value] of exact!.entries()) {
        difference = Math.max(difference, Math.abs(found[i]! - value));
        largest = Math.max(largest, Math.abs(value));
      }
      return largest === 0 ? 0 : difference / largest;
    },
  };
}
