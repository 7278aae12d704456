import { significant } from "./numbers.js";

/** Divergences below this are rounding of float32 logits: contexts in which the models are the same. Nats. */
export const LEAST_DIVERGENCE = 1e-9;

/** A divergence in nats; what is below the rounding of float32 logits is nothing. */
export function divergenceText(nats: number): string {
  return nats < LEAST_DIVERGENCE ? "< 10⁻⁹" : significant(nats);
}
