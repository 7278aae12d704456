import { InputError } from "../../errors.js";
import type { ModelFormat } from "../../export/model-formats.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { roundedHead, spreadHead } from "../../model/head/spread-head.js";
import type { Model } from "../../model/model.js";
import { exactHead } from "./exact-head.js";

/** A reduction in the form in which a format stores it. */
export interface StorableHead {
  /** What is written: a factored head as ONNX, a change of the ordinary shape as safetensors. */
  readonly stored:
    | { readonly format: "onnx"; readonly reduced: ReducedHead }
    | { readonly format: "safetensors"; readonly change: HeadChange };
  /** The same as a head of the ordinary shape, in the digits in which it is stored: for what is measured without writing. */
  readonly head: Head;
  /** What someone who uses it should know. */
  readonly notes: readonly string[];
}

/**
 * @param withoutBias instead of a bias, in a folder of the ordinary shape: contexts by which it is put into the kept columns
 * @throws InputError if the format has no place for the bias, or for two stages
 */
export async function storableHead(
  model: Model,
  reduced: ReducedHead,
  { format, withoutBias }: { format: ModelFormat; withoutBias?: StoredContexts | undefined },
): Promise<StorableHead> {
  if (format === "onnx") {
    return { stored: { format, reduced }, head: await spreadHead(model, roundedHead(model, reduced)), notes: [] };
  }
  if (reduced.rescore !== undefined) throw noPlaceForTwoStages();
  const { change, notes } = await exactHead(model, reduced, withoutBias);
  return { stored: { format, change }, head: changedHead(model.head, change), notes };
}

/** What is said of a head that rescores where a folder of the ordinary shape is wanted. */
export function noPlaceForTwoStages(): InputError {
  return new InputError(
    "format",
    "safetensors has no place for a head of two stages (rescore), which is V x d numbers there: onnx has",
  );
}
