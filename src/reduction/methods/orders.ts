/** In what order dimensions are deleted (METHOD.md section 4). */
export const orders = ["saliency", "slope", "variance", "gates", "random", "rotation"] as const;
/** One of `orders`. */
export type Order = (typeof orders)[number];

/** How what is deleted is made up for. */
export const compensations = ["none", "mean", "least-squares", "refine"] as const;
/** One of `compensations`. */
export type Compensation = (typeof compensations)[number];

/** In what metric `rotation` looks for the directions that matter. */
export const metrics = ["fisher", "logits"] as const;
/** One of `metrics`. */
export type Metric = (typeof metrics)[number];
