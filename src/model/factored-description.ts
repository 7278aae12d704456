import type { Engine } from "../engine/engine.js";
import { bytesSource } from "../tensor/byte-source.js";
import { memoryTensor } from "../tensor/memory-tensor.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import type { Architecture, ModelDescription } from "./architecture.js";
import type { Config } from "./config.js";
import type { HeadModelParts } from "./head/head-model.js";
import { readReducedHead } from "./head/read-reduced-head.js";
import { reducedNames } from "./head/reduced-head.js";
import { factorTimesProjection } from "./head/spread-head.js";
import type { ModelTensors } from "./model-tensors.js";
import type { Weights } from "./weights.js";

/** What a bias is called that an architecture has no name for. */
const addedBiasName = "lm_head.bias";

/** What the families call a head of its own and its bias. */
const headNames = new Set(["lm_head.weight", "embed_out.weight", "lm_head.bias", "embed_out.bias"]);

/**
 * A model whose head was stored factored, as one of the ordinary shape: E' = F P in float32, and a bias. Of two stages E is there, and
 * the factored head is its preview.
 * @throws InputError as the architecture's own description, or if the parts of the head cannot be used
 */
export async function describeFactored(
  architecture: Architecture,
  config: Config,
  found: Weights,
  { engine, tensors, place }: ModelTensors & { engine: Engine },
): Promise<ModelDescription> {
  const twoStages = tensors.has(reducedNames.rescore);
  const description = architecture.describe(config, twoStages ? found : withPlacesForHead(found));
  const { weight, bias } = description.head;
  const [vocabSize, hiddenSize] = weight.shape as [number, number];
  const size = { vocabSize, hiddenSize };
  const reduced = await readReducedHead(place, tensors, size);
  if (twoStages) return { ...description, head: { ...description.head, preview: reduced } };
  const spread = await factorTimesProjection(engine, reduced, size);
  return {
    ...description,
    head: {
      ...description.head,
      weight: memoryTensor(
        headNames.has(weight.name) ? weight.name : "lm_head.weight",
        "F32",
        [vocabSize, hiddenSize],
        spread,
      ),
      bias: memoryTensor(bias?.name ?? "lm_head.bias", "F32", [vocabSize], reduced.bias),
    },
  };
}

/** Answers for a head that is not there with its shape, which is all that a description needs. */
function withPlacesForHead(found: Weights): Weights {
  const placed = (name: string, shape: readonly (number | undefined)[]): TensorEntry | undefined =>
    headNames.has(name) && !found.has(name) && shape.every((size) => size !== undefined)
      ? {
          name,
          dtype: "F32",
          shape: shape as number[],
          offset: 0,
          byteLength: 0,
          source: bytesSource(name, new Uint8Array(0)),
        }
      : undefined;
  return {
    ...found,
    used: found.used,
    has: (name) => headNames.has(name) || found.has(name),
    find: (name, shape) => placed(name, shape) ?? found.find(name, shape),
    get: (name, shape) => placed(name, shape) ?? found.get(name, shape),
  };
}

/**
 * What a model read back from ONNX holds: the weights that its description asks for, and the head. A bias that the architecture
 * does not know is the head's too.
 */
export function onnxParts(
  { head }: ModelDescription,
  { tensors, factored }: ModelTensors,
  used: ReadonlySet<TensorEntry>,
): Pick<HeadModelParts, "tensors" | "head" | "hasOrdinaryHead"> {
  const added = head.bias === undefined ? tensors.get(addedBiasName) : undefined;
  const ofHead = [head.weight, head.bias ?? added].filter((tensor) => tensor !== undefined);
  return {
    tensors: new Map([...used, ...ofHead].map((tensor) => [tensor.name, tensor])),
    head: { ...head, bias: head.bias ?? added },
    hasOrdinaryHead: !factored && added === undefined,
  };
}
