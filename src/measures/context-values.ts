/** How one number is spread over the contexts. */
export interface Spread {
  readonly mean: number;
  /** 95 of 100 contexts are at or below it (linear between order statistics). */
  readonly percentile95: number;
  readonly max: number;
}

/** One float32 for every context, as they come. */
export interface ContextValues {
  append(values: Float64Array): void;
  /** A view of what was appended. */
  values(): Float32Array;
  /** @throws RangeError if nothing was appended */
  spread(): Spread;
}

export function contextValues(): ContextValues {
  let data = new Float32Array(2 ** 12);
  let length = 0;
  let sum = 0;
  const values = () => data.subarray(0, length);
  return {
    values,
    append(more) {
      if (length + more.length > data.length) {
        const longer = new Float32Array(Math.max(2 * data.length, length + more.length));
        longer.set(values());
        data = longer;
      }
      data.set(more, length);
      length += more.length;
      for (const value of more) sum += value;
    },
    spread() {
      const rising = values().slice().sort();
      return { mean: sum / length, percentile95: quantile(rising, 0.95), max: quantile(rising, 1) };
    },
  };
}

/** The number below which a share of the rising values lies, linear between neighbours (Hyndman & Fan 1996, type 7). */
export function quantile(rising: Float32Array | Float64Array, share: number): number {
  if (rising.length === 0) throw new RangeError("no values have no quantile");
  const place = share * (rising.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, rising.length - 1);
  return rising[below]! + (place - below) * (rising[above]! - rising[below]!);
}
