import { InputError } from "../../errors.js";
import { norm } from "../../linalg/dot.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { factorTimesProjection } from "../../model/head/spread-head.js";
import { constantDirection, readFinalNorm } from "../../model/layers/constant-direction.js";
import type { Model } from "../../model/model.js";
import { bytesPerElement, type DType } from "../../tensor/dtype.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { nearlyConstant } from "../methods/nearly-constant.js";

/** The error of a model whose ordinary shape cannot hold the bias that a reduction adds. */
export class NoPlaceForBias extends InputError {
  constructor(name: string, modelType: string) {
    const ways =
      "it can go into the kept columns, as nearly as they can hold it; without compensation there is none; ONNX has a place";
    super(
      name,
      `its architecture (${modelType}) has no output bias, and no LayerNorm whose constant direction could carry one: ${ways}`,
    );
  }
}

/** Where the bias of a reduced head went. */
export type BiasPlace =
  /** There is none besides the head's own. */
  | "none"
  /** The head's own output bias. */
  | "bias"
  /** E, along the direction in which every h_t is 1: exact, but for E's digits. */
  | "constant direction"
  /** E, along the direction in which the h_t are nearest to 1. */
  | "nearly constant direction";

/** A reduced head in the ordinary shape. */
export interface ExactHead {
  /** What saveModel takes. */
  readonly change: HeadChange;
  readonly biasPlace: BiasPlace;
  /** What someone who uses it should know. */
  readonly notes: readonly string[];
}

/**
 * A reduced head in the ordinary shape [V, d], so that any runtime loads it (METHOD.md section 4): of coordinates deleted the
 * columns are zero, of directions E' = F P. The bias b' goes where the architecture has a place for one; else, in a model that
 * ends in a LayerNorm, along the constant direction v of METHOD.md section 3, E' + b' v', exactly: the deleted columns are then
 * multiples of b'. Such an E' is stored as float32, since v is long.
 * @param contexts instead of a bias: puts it as nearly as can be into the columns that are kept, as these contexts have it
 * @throws InputError if there is no place for the bias
 */
export async function exactHead(model: Model, reduced: ReducedHead, contexts?: StoredContexts): Promise<ExactHead> {
  const { head, engine } = model;
  const weight = await factorTimesProjection(engine, reduced, head);
  const added = await addedBias(head, reduced);
  const biasPlace = placeOf(head, added, contexts !== undefined);
  if (biasPlace === "none") return { change: { weight }, biasPlace, notes: [] };
  if (contexts !== undefined) {
    // Softmax does not see what all logits share, and the less there is to put in, the smaller the error. A soft cap does.
    if (head.transform.softCap === undefined) center(added);
    const direction = await nearlyConstant(contexts, engine, reduced.coordinates);
    addAlong(weight, added, direction);
    const notes = ["the bias lies in the kept columns, as nearly as they can hold it"];
    return { change: { weight }, biasPlace, notes };
  }
  if (biasPlace === "bias") return { change: { weight, bias: Float64Array.from(reduced.bias) }, biasPlace, notes: [] };
  const direction = await biasDirection(model);
  addAlong(weight, added, direction);
  const dtype = storedDType(head, biasPlace);
  const narrow = dtype !== head.weight.dtype;
  const deleted = reduced.coordinates === undefined ? "" : "; the deleted columns are multiples of the bias";
  const notes = [
    `the bias lies in E along the constant direction, ${norm(direction).toPrecision(3)} long${deleted}`,
    ...(narrow
      ? [`E is stored as F32 and the model loaded as float32, since ${head.weight.dtype} would round that`]
      : []),
  ];
  return { change: { weight, ...(narrow ? { dtype: "F32" } : {}) }, biasPlace, notes };
}

/**
 * Bytes of the head in the ordinary shape, its bias with it.
 * @param withoutBias puts the bias into the kept columns @returns undefined where there is no place for the bias
 */
export async function exactHeadBytes(
  model: Model,
  reduced: ReducedHead,
  withoutBias: boolean,
): Promise<number | undefined> {
  const { head } = model;
  const place = placeOf(head, await addedBias(head, reduced), withoutBias);
  if (place === "constant direction" && (await directionForBias(model)) === undefined) return undefined;
  const bias = place === "bias" ? head.vocabSize * bytesPerElement.F32 : (head.bias?.byteLength ?? 0);
  return head.vocabSize * head.hiddenSize * bytesPerElement[storedDType(head, place)] + bias;
}

/** b' - b. */
async function addedBias(head: Head, reduced: ReducedHead): Promise<Float64Array> {
  const own = head.bias && (await readTensorFloat64(head.bias));
  return Float64Array.from(reduced.bias, (value, w) => value - (own?.[w] ?? 0));
}

function placeOf(head: Head, added: Float64Array, withoutBias: boolean): BiasPlace {
  if (added.every((value) => value === 0)) return "none";
  if (withoutBias) return "nearly constant direction";
  return head.bias ? "bias" : "constant direction";
}

/** The number type of E': 16 bits would round what lies along a constant direction, which is long. */
function storedDType({ weight }: Head, place: BiasPlace): DType {
  const narrow = weight.dtype === "F16" || weight.dtype === "BF16";
  return narrow && place === "constant direction" ? "F32" : weight.dtype;
}

/**
 * The direction of E along which a bias can be written exactly.
 * @throws NoPlaceForBias if the model has none
 */
export async function biasDirection(model: Model): Promise<Float64Array> {
  const direction = await directionForBias(model);
  if (direction !== undefined) return direction;
  const { name, modelType } = model;
  throw new NoPlaceForBias(name, modelType);
}

async function directionForBias({ description }: Model): Promise<Float64Array | undefined> {
  const finalNorm = await readFinalNorm(description);
  return finalNorm && constantDirection(finalNorm);
}

/** E' + b v', in place. */
function addAlong(weight: Float32Array, bias: Float64Array, direction: Float64Array): void {
  const d = direction.length;
  for (const [w, value] of bias.entries()) {
    for (let i = 0; i < d; i++) {
      // A deleted column stays exactly zero, not -0.
      if (direction[i] !== 0) weight[w * d + i] = weight[w * d + i]! + value * direction[i]!;
    }
  }
}

function center(values: Float64Array): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  for (const [w, value] of values.entries()) values[w] = value - mean;
}
