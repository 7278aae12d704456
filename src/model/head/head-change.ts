/** What changes in a head: the rest of the model stays as it is. Values are rounded to E's own number type when written. */
export interface HeadChange {
  /** Rows of E that get other values: ascending ids [m] and values, float64 [m, d] row-major. */
  readonly rows?: { readonly ids: Int32Array; readonly values: Float64Array } | undefined;
  /** All of E', float32 [V, d], in place of single rows. */
  readonly weight?: Float32Array | undefined;
  /** Number type of E', where E's own is too coarse for it. */
  readonly dtype?: "F32" | undefined;
  /** b' [V], in place of the head's bias if it has one. */
  readonly bias?: Float64Array | undefined;
}
