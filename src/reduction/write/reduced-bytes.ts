import type { BeforeAfter } from "../../measures/before-after.js";
import type { Head } from "../../model/head/head.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import type { Model } from "../../model/model.js";
import { bytesPerElement } from "../../tensor/dtype.js";
import { weightBytes } from "../../tensor/weight-bytes.js";
import type { ReducedBytes } from "../reduction-run.js";
import { exactHeadBytes } from "./exact-head.js";

type Sizes = Pick<ReducedBytes, "head" | "model">;

/**
 * Bytes of the head and of the model's weights, original and reduced: with a factored head, and with one of the ordinary
 * shape. An input embedding that is the same matrix stays.
 * @param withoutBias puts the bias of the ordinary shape into the kept columns
 */
export async function reducedBytes(
  model: Model,
  reduced: ReducedHead,
  { withoutBias = false }: { withoutBias?: boolean } = {},
): Promise<Omit<ReducedBytes, "written">> {
  const { head } = model;
  const whole = weightBytes(model.tensors);
  const exact = reduced.rescore === undefined ? await exactHeadBytes(model, reduced, withoutBias) : undefined;
  return {
    ...sizes(head, whole, factoredHeadBytes(head, reduced).after),
    safetensors: exact === undefined ? undefined : sizes(head, whole, exact),
  };
}

/** Bytes of the head alone, original and factored. */
export function factoredHeadBytes(head: Head, reduced: ReducedHead): BeforeAfter {
  // The rows of E that are rescored are all there: where it is the input embedding too, it is so anyway.
  const kept = reduced.rescore === undefined || head.tied ? 0 : headBytes(head);
  return { before: headBytes(head), after: factoredBytes(head, reduced) + kept };
}

const headBytes = ({ weight, bias }: Head): number => weight.byteLength + (bias?.byteLength ?? 0);

function sizes(head: Head, whole: number, after: number): Sizes {
  const own = headBytes(head);
  const model: BeforeAfter = { before: whole, after: whole + after - own + (head.tied ? head.weight.byteLength : 0) };
  return { head: { before: own, after }, model };
}

/** F, what picks or projects the k numbers, and a bias in float32. */
function factoredBytes({ vocabSize, hiddenSize, weight }: Head, { kept, coordinates, bound }: ReducedHead): number {
  const number = bytesPerElement[weight.dtype];
  const picking = coordinates === undefined ? kept * hiddenSize * number : kept * bytesPerElement.I64;
  const bounds = bound ? bound.reader.length + bound.centre.length + bound.reach.length + bound.slack.length : 0;
  return vocabSize * kept * number + picking + (vocabSize + bounds) * bytesPerElement.F32;
}
