import type { Engine } from "../../engine/engine.js";
import { InputError } from "../../errors.js";
import type { Folder } from "../../tensor/byte-source.js";
import type { OnNotice } from "../../tensor/checkpoint-tensors.js";
import { outputEmbeddingNames } from "../../tensor/output-embedding-names.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { Config } from "../config.js";
import { findLanguageModel } from "../language-model.js";
import { openConfig, requireFinite } from "../model.js";
import { openModelTensors } from "../model-tensors.js";
import { weights } from "../weights.js";
import { type HeadModel, headModel } from "./head-model.js";

const biasNames = ["lm_head.bias", "embed_out.bias"];

/**
 * Opens only the head of a checkpoint, for hidden states that were computed elsewhere: of any architecture, also one whose
 * layers unembed does not know.
 * @param tensorName the output embedding's name in the file; left out, the known names are tried
 * @throws InputError if no output embedding is found
 */
export async function openHead(
  folder: Folder,
  engine: Engine,
  name: string,
  tensorName?: string,
  onNotice?: OnNotice,
): Promise<HeadModel> {
  const config: Config = await openConfig(folder, onNotice);
  const { tensors, place, factored } = await openModelTensors(folder, onNotice);
  if (factored) {
    throw new InputError(place, "its head is factored, and can only be opened with the whole model");
  }
  const parts = describeHead(place, config, tensors, tensorName);
  await requireFinite(parts.head.weight, folder);
  if (parts.head.bias) await requireFinite(parts.head.bias, folder);
  return headModel({ name, engine, folder, tensors, ...parts });
}

function describeHead(place: string, config: Config, tensors: ReadonlyMap<string, TensorEntry>, tensorName?: string) {
  const known = tensorName === undefined ? findLanguageModel(config) : undefined;
  if (known !== undefined) {
    const found = weights(place, tensors, known.architecture.prefixes);
    const { head, inputEmbedding } = known.architecture.describe(known.config, found);
    return { modelType: known.modelType, head, inputEmbedding };
  }
  const modelType = config.string("model_type", "unknown");
  const names = tensorName === undefined ? outputEmbeddingNames : [tensorName];
  const weight = names.map((candidate) => tensors.get(candidate)).find((tensor) => tensor !== undefined);
  if (weight === undefined) {
    throw new InputError(place, `no output embedding is found under ${names.join(", ")}`, {
      remedy: "tensorName",
    });
  }
  if (weight.shape.length !== 2) {
    throw new InputError(
      weight.source.name,
      `tensor "${weight.name}" has ${weight.shape.length} axes; [V, d] is wanted`,
    );
  }
  const bias = biasNames.map((candidate) => tensors.get(candidate)).find((tensor) => tensor !== undefined);
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== weight.shape[0])) {
    throw new InputError(
      bias.source.name,
      `tensor "${bias.name}" does not have one number per row of "${weight.name}"`,
    );
  }
  return { modelType, head: { weight, bias, transform: headTransform(config) }, inputEmbedding: undefined };
}

/** The fields by which the known families say what they do to the logits. */
function headTransform(config: Config) {
  const softCap = config.has("final_logit_softcapping") ? config.positive("final_logit_softcapping") : undefined;
  const multiplied = config.has("logit_scale") ? config.positive("logit_scale") : 1;
  const divided = config.has("logits_scaling") ? config.positive("logits_scaling") : 1;
  return { scale: multiplied / divided, softCap };
}
