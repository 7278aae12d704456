import { type Engine, float32Output } from "../engine/engine.js";
import { createGraph } from "../engine/graph.js";
import { InputError } from "../errors.js";
import type { Folder } from "../tensor/byte-source.js";
import { findNonFinite } from "../tensor/non-finite.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import type { Architecture, ModelDescription } from "./architecture.js";
import { architectures } from "./architectures/index.js";
import { type Config, readConfig } from "./config.js";
import { describeFactored, onnxParts } from "./factored-description.js";
import { type HeadModel, headModel, once } from "./head/head-model.js";
import { openModelTensors } from "./model-tensors.js";
import { weights } from "./weights.js";

/** Windows of one length, side by side: token ids [count, length] row-major. */
export interface Windows {
  readonly count: number;
  readonly length: number;
  readonly tokenIds: Int32Array;
}

/** A causal language model that is ready to run. */
export interface Model extends HeadModel {
  /** Longest window that it can take; undefined if any. */
  readonly maxPositions: number | undefined;
  /** Its layers, for graphs of one's own. */
  readonly description: ModelDescription;
  /** What the head multiplies (after the final norm), float32 [count, length, d]. */
  hiddenStates(windows: Windows): Promise<Float32Array>;
  /**
   * Hidden states and, on request, logits of windows of one length, as float32 row-major
   * [batch, time, d] and [batch, time, V].
   * @throws InputError if windows differ in length, are longer than the model allows or hold ids outside the vocabulary
   */
  forward(
    tokenIds: readonly number[] | readonly (readonly number[])[],
    options?: { logits?: boolean },
  ): Promise<{ hidden: Float32Array; logits?: Float32Array }>;
}

/**
 * Reads a checkpoint's config and tensors and makes it ready to run; weights are used where they lie.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function openModel(folder: Folder, engine: Engine, name: string): Promise<Model> {
  const config: Config = await openConfig(folder);
  const modelType = config.string("model_type");
  const architecture = findArchitecture(modelType);
  if (architecture === undefined) {
    const known = architectures.flatMap(({ modelTypes }) => modelTypes).join(", ");
    const quoted = JSON.stringify(modelType);
    config.fail("model_type", `is ${quoted}, an architecture that is not supported; known: ${known}`);
  }
  const held = await openModelTensors(folder);
  const found = weights(held.place, held.tensors, architecture.prefixes);
  const description = held.factored
    ? await describeFactored(architecture, config, found, { ...held, engine })
    : architecture.describe(config, found);
  for (const tensor of found.used) await requireFinite(tensor);
  const parts = held.ofOnnx ? onnxParts(description, held, found.used) : { tensors: held.tensors };
  const head = headModel({ name, modelType, engine, folder, ...description, ...parts });
  return withLayers(head, description);
}

/** @throws InputError if there is no config.json, or one that no model here can follow */
export async function openConfig(folder: Folder): Promise<Config> {
  const source = await folder.open("config.json");
  if (source === undefined) throw new InputError(folder.name, "config.json is missing: not a model folder");
  const config: Config = await readConfig(source);
  if (config.has("quantization_config")) {
    config.fail("quantization_config", "is set; quantized weights are not supported, use the original checkpoint");
  }
  return config;
}

export function findArchitecture(modelType: string): Architecture | undefined {
  return architectures.find(({ modelTypes }) => modelTypes.includes(modelType));
}

/** @throws InputError naming the tensor if it holds NaN or an infinity */
export async function requireFinite(tensor: TensorEntry): Promise<void> {
  const bad = await findNonFinite(tensor);
  if (bad !== undefined) {
    throw new InputError(tensor.source.name, `tensor "${tensor.name}" holds ${bad.value} at element ${bad.index}`);
  }
}

function withLayers(head: HeadModel, description: ModelDescription): Model {
  const { maxPositions } = description;
  const session = once(() => head.engine.load(bodyGraph(description)));
  const hiddenStates: Model["hiddenStates"] = async ({ count, length, tokenIds }) => {
    if (maxPositions !== undefined && length > maxPositions) {
      throw new InputError(head.name, `has ${maxPositions} positions; a window of ${length} tokens is too long`);
    }
    const outputs = await (await session()).run({
      input_ids: { type: "int64", data: BigInt64Array.from(tokenIds, BigInt), dims: [count, length] },
      positions: { type: "int64", data: BigInt64Array.from({ length }, (_, i) => BigInt(i)), dims: [length] },
    });
    return float32Output(outputs, "hidden");
  };
  return {
    ...head,
    maxPositions,
    description,
    hiddenStates,
    async forward(tokenIds, options = {}) {
      const hidden = await hiddenStates(toWindows(tokenIds, head.vocabSize));
      return options.logits ? { hidden, logits: await head.logits(hidden) } : { hidden };
    },
  };
}

function bodyGraph(description: ModelDescription) {
  const graph = createGraph("body");
  const tokenIds = graph.input("input_ids", "int64", ["windows", "time"]);
  const positions = graph.input("positions", "int64", ["time"]);
  const hidden = description.hiddenStates({ graph, tokenIds, positions });
  graph.output(hidden, "hidden", "float32", ["windows", "time", description.hiddenSize]);
  return graph;
}

function toWindows(tokenIds: readonly number[] | readonly (readonly number[])[], vocabSize: number): Windows {
  const rows = tokenIds.every((item) => typeof item === "number") ? [tokenIds] : (tokenIds as readonly number[][]);
  const length = rows[0]?.length ?? 0;
  if (length === 0) throw new InputError("forward", "there are no token ids");
  rows.forEach((row, index) => {
    if (row.length !== length) {
      throw new InputError(
        "forward",
        `window ${index} has ${row.length} ids and window 0 has ${length}; one length is wanted`,
      );
    }
    const bad = row.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (bad >= 0) {
      throw new InputError(
        "forward",
        `id ${row[bad]} at [${index}, ${bad}] is outside the vocabulary (0 to ${vocabSize - 1})`,
      );
    }
  });
  return { count: rows.length, length, tokenIds: Int32Array.from(rows.flat()) };
}
