import { InputError } from "../errors.js";

/** How many dimensions are to be kept: one of the two. */
export interface WantedSize {
  /** Share that is deleted, from 0 to below 1. */
  readonly fraction?: number | undefined;
  /** k. */
  readonly keep?: number | undefined;
}

/**
 * k of d dimensions. A share is rounded to whole dimensions; one at least is kept.
 * @throws InputError if the share is outside [0, 1), or more than d or none are to be kept
 */
export function keptDimensions(d: number, { fraction, keep }: WantedSize): number {
  if (keep !== undefined) {
    if (Number.isInteger(keep) && keep >= 1 && keep <= d) return keep;
    throw new InputError("keep", `is ${keep}; the head has ${d} dimensions: a whole number from 1 to ${d} is wanted`);
  }
  if (fraction !== undefined && fraction >= 0 && fraction < 1) return Math.max(1, d - Math.round(fraction * d));
  throw new InputError("fraction", `is ${fraction}; a share from 0 to below 1 is wanted`);
}
