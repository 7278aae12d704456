import { embeddedModel, modelWithData } from "../engine/onnx-file.js";
import type { Config } from "../model/config.js";
import { changedHead } from "../model/head/changed-head.js";
import type { HeadChange } from "../model/head/head-change.js";
import { type ReducedHead, reducedNames } from "../model/head/reduced-head.js";
import { type Model, openConfig } from "../model/model.js";
import { onnxFolder, onnxName } from "../model/onnx-folder.js";
import { textPart } from "../model/text-part.js";
import { causalLmGraph } from "./causal-lm-graph.js";
import { filesBesideWeights, type ModelFile, requireWritable } from "./model-files.js";

const dataName = `${onnxName}_data`;

/** Protobuf readers take at most 2 GiB; browsers hold hardly more in one piece. */
const maxInsideBytes = 1.5e9;

/**
 * The files of a model as ONNX with another head, as transformers.js's text-generation pipeline and optimum expect them.
 * Weights stay byte for byte what they are in the checkpoint, in its number types: runtimes widen them when they load the
 * file, and compute in float32. So it is as small as the checkpoint, and runs where float16 arithmetic does not.
 * @param change of the head; `{}` for the model as it is
 * @param maxInside bytes of weights up to which they lie inside the ONNX file
 * @throws InputError if a number does not fit E's number type
 */
export async function onnxFiles(
  model: Model,
  change: HeadChange | ReducedHead,
  maxInside = maxInsideBytes,
): Promise<ModelFile[]> {
  const reduced = "factor" in change ? change : model.head.preview;
  const changed = "factor" in change ? model.head : changedHead(model.head, change);
  const isChanged = changed.weight !== model.head.weight;
  // Under the name that a checkpoint of the architecture has for it, by which it is found again.
  const head = isChanged ? { ...changed, weight: { ...changed.weight, name: model.headName } } : changed;
  const { graph } = causalLmGraph(model, head, reduced);
  const ofHead = new Set<string | undefined>([...Object.values(reducedNames), head.weight.name, head.bias?.name]);
  for (const { tensor } of graph.weights) {
    if (ofHead.has(tensor.name)) await requireWritable(model.name, tensor.name, tensor);
  }
  const weightBytes = graph.weights.reduce((bytes, { tensor }) => bytes + tensor.byteLength, 0);
  const inside = weightBytes <= maxInside;
  const config = await openConfig(model.folder);
  const fields = {
    ...((reduced !== undefined && reduced.rescore === undefined) || isChanged ? { tie_word_embeddings: false } : {}),
    ...keysApartFromValues(config),
    // In browsers transformers.js would look for a quantized file if it were not told.
    "transformers.js_config": { dtype: "fp32", ...(inside ? {} : { use_external_data_format: { [onnxName]: 1 } }) },
  };
  const beside = await filesBesideWeights(model.folder, fields, textPart(config, config.string("model_type")));
  if (inside) return [...beside, [`${onnxFolder}/${onnxName}`, embeddedModel(graph)]];
  const { model: file, data } = modelWithData(graph, dataName);
  return [...beside, [`${onnxFolder}/${onnxName}`, file], [`${onnxFolder}/${dataName}`, data]];
}

/**
 * Where a config says `multi_query: true`, transformers.js looks for keys and values in one tensor. null is the same as true
 * to the families that have the field, and no such layout to transformers.js.
 */
function keysApartFromValues(config: Config): Record<string, null> {
  return config.unknown("multi_query") === true ? { multi_query: null } : {};
}
