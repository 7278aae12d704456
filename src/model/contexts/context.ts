import { InputError } from "../../errors.js";
import type { Model } from "../model.js";

const defaultContextLength = 256;

/** The asked length of windows, or one that all the models can take. @throws InputError if one of them cannot take it */
export function contextLengthFor(models: readonly Model[], asked: number | undefined): number {
  for (const { name, maxPositions } of models) {
    if (asked !== undefined && maxPositions !== undefined && asked > maxPositions) {
      throw new InputError(name, `has ${maxPositions} positions; a context of ${asked} tokens is too long`);
    }
  }
  return (
    asked ?? Math.min(defaultContextLength, ...models.map(({ maxPositions }) => maxPositions ?? defaultContextLength))
  );
}
