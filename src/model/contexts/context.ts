import type { Corpus } from "../../corpus/corpus.js";
import { InputError } from "../../errors.js";
import type { Model } from "../model.js";

const defaultContextLength = 256;

/**
 * The asked length of windows, or that for which the text was stored, or one that all the models can take.
 * @throws InputError if one of them cannot take it
 */
export function contextLengthFor(
  models: readonly Model[],
  askedFor: number | undefined,
  text?: Pick<Corpus, "stored">,
): number {
  const asked = askedFor ?? text?.stored?.contextLength;
  for (const { name, maxPositions } of models) {
    if (asked !== undefined && maxPositions !== undefined && asked > maxPositions) {
      throw new InputError(name, `has ${maxPositions} positions; a context of ${asked} tokens is too long`);
    }
  }
  return (
    asked ?? Math.min(defaultContextLength, ...models.map(({ maxPositions }) => maxPositions ?? defaultContextLength))
  );
}
