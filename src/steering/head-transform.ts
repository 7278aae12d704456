import type { HeadTransform } from "../model/head/head.js";

/** The head's transform and its derivative at z = E h + b. */
export function transform(
  { scale = 1, softCap }: HeadTransform,
  z: number,
): { readonly value: number; readonly slope: number } {
  if (softCap === undefined) return { value: scale * z, slope: scale };
  const bounded = Math.tanh((scale * z) / softCap);
  return { value: softCap * bounded, slope: scale * (1 - bounded * bounded) };
}

/** Whether z is left as it is. */
export function isIdentity({ scale = 1, softCap }: HeadTransform): boolean {
  return scale === 1 && softCap === undefined;
}
