import { type Engine, float32Output } from "../engine/engine.js";
import { createGraph } from "../engine/graph.js";
import { InputError } from "../errors.js";
import { norm } from "../linalg/dot.js";
import { constantDirection, readFinalNorm } from "../model/constant-direction.js";
import type { HeadChange } from "../model/head-change.js";
import type { Model } from "../model/model.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { memoryTensor } from "../tensor/memory-tensor.js";
import { readTensorFloat64 } from "../tensor/safetensors.js";
import { nearlyConstant } from "./nearly-constant.js";
import type { ReducedHead } from "./orders.js";

/** Rows of F that are multiplied by P at once. */
const blockRows = 4096;

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
  const { head, engine, name, modelType } = model;
  const weight = await spread(engine, reduced, head.vocabSize, head.hiddenSize);
  const own = head.bias && (await readTensorFloat64(head.bias));
  const added = Float64Array.from(reduced.bias, (value, w) => value - (own?.[w] ?? 0));
  if (added.every((value) => value === 0)) return { change: { weight }, biasPlace: "none", notes: [] };
  if (contexts !== undefined) {
    // Softmax does not see what all logits share, and the less there is to put in, the smaller the error. A soft cap does.
    if (head.transform.softCap === undefined) center(added);
    const direction = await nearlyConstant(contexts, engine, reduced.coordinates);
    addAlong(weight, added, direction);
    const notes = ["the bias lies in the kept columns, as nearly as they can hold it (--no-bias)"];
    return { change: { weight }, biasPlace: "nearly constant direction", notes };
  }
  if (own !== undefined) {
    return { change: { weight, bias: Float64Array.from(reduced.bias) }, biasPlace: "bias", notes: [] };
  }
  const finalNorm = await readFinalNorm(model.description);
  const direction = finalNorm && constantDirection(finalNorm);
  if (direction === undefined) {
    throw new InputError(
      name,
      `its architecture (${modelType}) has no output bias, and no LayerNorm whose constant direction could carry one: ` +
        "--no-bias puts it into the kept columns as nearly as they can hold it, --compensate none needs none, and --format onnx has one",
    );
  }
  addAlong(weight, added, direction);
  const narrow = head.weight.dtype === "F16" || head.weight.dtype === "BF16";
  const deleted = reduced.coordinates === undefined ? "" : "; the deleted columns are multiples of the bias";
  const notes = [
    `the bias lies in E along the constant direction, ${norm(direction).toPrecision(3)} long${deleted}`,
    ...(narrow
      ? [`E is stored as F32 and the model loaded as float32, since ${head.weight.dtype} would round that`]
      : []),
  ];
  return { change: { weight, ...(narrow ? { dtype: "F32" } : {}) }, biasPlace: "constant direction", notes };
}

/** F P as float32 [V, d]. */
async function spread(engine: Engine, reduced: ReducedHead, vocabSize: number, d: number): Promise<Float32Array> {
  const { coordinates, projection, factor, kept } = reduced;
  const weight = new Float32Array(vocabSize * d);
  if (coordinates !== undefined) {
    for (let w = 0; w < vocabSize; w++) {
      for (let j = 0; j < kept; j++) weight[w * d + coordinates[j]!] = factor[w * kept + j]!;
    }
    return weight;
  }
  const graph = createGraph("spread");
  const rows = graph.input("rows", "float32", ["n", kept]);
  const p = graph.weight(memoryTensor("projection", "F32", [kept, d], projection!));
  graph.output(graph.op("MatMul", [rows, p]), "weight", "float32", ["n", d]);
  const session = await engine.load(graph, { oneAtATime: true });
  try {
    for (let start = 0; start < vocabSize; start += blockRows) {
      const end = Math.min(start + blockRows, vocabSize);
      const data = factor.slice(start * kept, end * kept);
      const outputs = await session.run({ rows: { type: "float32", data, dims: [end - start, kept] } });
      weight.set(float32Output(outputs, "weight"), start * d);
    }
  } finally {
    await session.release();
  }
  return weight;
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
