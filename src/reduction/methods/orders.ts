/** In what order dimensions are deleted (METHOD.md section 4). */
export const orders = ["saliency", "slope", "variance", "random", "rotation"] as const;
export type Order = (typeof orders)[number];

/** How what is deleted is made up for. */
export const compensations = ["none", "mean", "least-squares", "refine"] as const;
export type Compensation = (typeof compensations)[number];

/** In what metric `rotation` looks for the directions that matter. */
export const metrics = ["fisher", "logits"] as const;
export type Metric = (typeof metrics)[number];

/**
 * A head that uses k numbers of h: z = F P h + b', before the model's own transform. For coordinates, P selects those kept.
 */
export interface ReducedHead {
  readonly order: Order;
  readonly compensation: Compensation;
  /** k. */
  readonly kept: number;
  /** Coordinates of h that are kept, ascending [k]; undefined for directions. */
  readonly coordinates: Int32Array | undefined;
  /** P, float32 [k, d], for directions; undefined for coordinates. */
  readonly projection: Float32Array | undefined;
  /** F, float32 [V, k]. */
  readonly factor: Float32Array;
  /** b', [V]: what the head's own bias becomes. */
  readonly bias: Float32Array;
}
