import { loadTokenizer } from "../corpus/tokenizer/tokenizer.js";
import { type Engine, float32Output } from "../engine/engine.js";
import { createGraph } from "../engine/graph.js";
import { InputError } from "../errors.js";
import type { Folder } from "../tensor/byte-source.js";
import type { TensorEntries } from "../tensor/checkpoint-layouts.js";
import type { OnNotice } from "../tensor/checkpoint-tensors.js";
import { findNonFinite } from "../tensor/non-finite.js";
import { otherFolder } from "../tensor/other-folders.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { quote } from "../tensor/strict-json.js";
import type { ModelDescription } from "./architecture.js";
import { type Config, readConfig } from "./config.js";
import { describeFactored, onnxParts } from "./factored-description.js";
import { type HeadModel, headModel, once } from "./head/head-model.js";
import { requireLanguageModel } from "./language-model.js";
import { openModelTensors } from "./model-tensors.js";
import { type MemoryLimit, turnsWithin } from "./pass/memory-limit.js";
import { hiddenInTurns, type LimitedModel, passInTurns } from "./pass/pass-in-turns.js";
import { type PassWindows, wholePass } from "./pass/text-pass.js";
import { type Windows, windowFeeds } from "./pass/window-batches.js";
import { refuseQuantizedConfig } from "./unreadable-weights.js";
import { weights } from "./weights.js";
import { widenedTensors } from "./widened-weights.js";

/** A causal language model that is ready to run. */
export interface Model extends HeadModel {
  /** Longest window that it can take; undefined if any. */
  readonly maxPositions: number | undefined;
  /** Its layers, for graphs of one's own. */
  readonly description: ModelDescription;
  /** Bytes that it was allowed to take in memory; undefined if any number. */
  readonly maxMemory: number | undefined;
  /** Whether its layers take turns in memory, so that one run of all of them costs as much as reading all weights. */
  readonly inTurns: boolean;
  /** What the head multiplies (after the final norm), float32 [count, length, d]. For the windows of a text: `pass`. */
  hiddenStates(windows: Windows): Promise<Float32Array>;
  /** Runs all windows of a text through the layers. @throws InputError if memory or the disk is too small for it */
  pass: PassWindows;
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
 * @param limit of memory: layers of a model that does not fit take turns. Default: none
 * @throws InputError naming the file and the field that cannot be used
 */
export async function openModel(
  folder: Folder,
  engine: Engine,
  name: string,
  onNotice?: OnNotice,
  limit?: MemoryLimit,
): Promise<Model> {
  const { architecture, config, modelType } = requireLanguageModel(await openConfig(folder, onNotice));
  const held = await openModelTensors(folder, onNotice);
  const found = weights(held.place, widenedTensors(config, held.tensors), architecture.prefixes);
  const description = held.factored
    ? await describeFactored(architecture, config, found, { ...held, engine })
    : architecture.describe(config, found);
  const turns = limit && turnsWithin({ name, modelType, description }, limit);
  // Weights of layers that take turns are read once, each with its part.
  const atOnce = [...found.used].filter((tensor) => turns === undefined || isRows(tensor, description));
  for (const tensor of atOnce) await requireFinite(tensor, isRows(tensor, description) ? folder : undefined);
  const parts = held.ofOnnx
    ? onnxParts(description, held, found.used)
    : { tensors: withEmbedding(held.tensors, description) };
  const head = headModel({ name, modelType, engine, folder, ...description, ...parts });
  return turns === undefined ? withLayers(head, description, limit) : withTurns(head, { ...turns, engine });
}

/** @throws InputError if there is no config.json, or one that no model here can follow */
export async function openConfig(folder: Folder, onNotice?: OnNotice): Promise<Config> {
  const source = await folder.open("config.json");
  if (source === undefined) {
    throw new InputError(folder.name, (await otherFolder(folder)) ?? "config.json is missing: not a model folder");
  }
  // A family may read its rotary positions several times.
  const told = new Set<string>();
  const config: Config = await readConfig(source, (message) => {
    if (!told.has(message)) onNotice?.(message);
    told.add(message);
  });
  refuseQuantizedConfig(config);
  return config;
}

/** The tensors, and the input embedding under its own name where a tied pair is stored under the head's alone. */
function withEmbedding(tensors: TensorEntries, { inputEmbedding }: ModelDescription): TensorEntries {
  return tensors.has(inputEmbedding.name) ? tensors : new Map([...tensors, [inputEmbedding.name, inputEmbedding]]);
}

/** Whether a tensor has a row a token. */
function isRows(tensor: TensorEntry, { head, inputEmbedding }: ModelDescription): boolean {
  return tensor === head.weight || tensor === head.bias || tensor === inputEmbedding;
}

/**
 * @param ofTokens folder with the tokenizer by which rows are named, for a tensor that has one a token
 * @throws InputError naming the tensor if it holds NaN or an infinity, and the token of the row
 */
export async function requireFinite(tensor: TensorEntry, ofTokens?: Folder): Promise<void> {
  const bad = await findNonFinite(tensor);
  if (bad === undefined) return;
  const holds = `tensor ${quote(tensor.name)} holds ${bad.value} at element ${bad.index}`;
  const row = ofTokens && (await rowName(ofTokens, Math.floor(bad.index / (tensor.shape[1] ?? 1))));
  throw new InputError(tensor.source.name, row === undefined ? holds : `${holds}, in the row of ${row}`);
}

async function rowName(folder: Folder, id: number): Promise<string> {
  // Who has no tokenizer, or one that cannot be used, should hear of the weights first.
  const tokenizer = await loadTokenizer(folder).catch(() => undefined);
  return tokenizer?.produces(id) ? `token ${id} (${quote(tokenizer.tokenText(id))})` : `token id ${id}`;
}

function withLayers(head: HeadModel, description: ModelDescription, limit: MemoryLimit | undefined): Model {
  const session = once(() => head.engine.load(bodyGraph(description, head.engine)));
  return runnable(head, description, {
    maxMemory: limit?.bytes,
    inTurns: false,
    async hiddenStates(windows) {
      return float32Output(await (await session()).run(windowFeeds(windows)), "hidden");
    },
    pass: wholePass,
  });
}

function withTurns(head: HeadModel, turns: Omit<LimitedModel, "checkWeights">): Model {
  const { description } = turns;
  const checked = new Set<string>();
  const checkWeights: LimitedModel["checkWeights"] = async (used) => {
    for (const { tensor } of used) {
      if (checked.has(tensor.name) || isRows(tensor, description)) continue;
      await requireFinite(tensor);
      checked.add(tensor.name);
    }
  };
  const limited = { ...turns, checkWeights };
  return runnable(head, description, {
    maxMemory: turns.limit.bytes,
    inTurns: true,
    hiddenStates: (windows) => hiddenInTurns(limited, windows),
    pass: () => passInTurns(limited),
  });
}

/** A model by the way in which its layers are run. */
function runnable(
  head: HeadModel,
  description: ModelDescription,
  layers: Pick<Model, "maxMemory" | "inTurns" | "hiddenStates"> & {
    pass(hiddenStates: Model["hiddenStates"]): PassWindows;
  },
): Model {
  const { maxPositions } = description;
  const hiddenStates: Model["hiddenStates"] = async (windows) => {
    if (maxPositions !== undefined && windows.length > maxPositions) {
      throw new InputError(
        head.name,
        `has ${maxPositions} positions; a window of ${windows.length} tokens is too long`,
      );
    }
    return layers.hiddenStates(windows);
  };
  return {
    ...head,
    maxPositions,
    description,
    maxMemory: layers.maxMemory,
    inTurns: layers.inTurns,
    hiddenStates,
    pass: layers.pass(hiddenStates),
    async forward(tokenIds, options = {}) {
      const hidden = await hiddenStates(toWindows(tokenIds, head.vocabSize));
      return options.logits ? { hidden, logits: await head.logits(hidden) } : { hidden };
    },
  };
}

function bodyGraph(description: ModelDescription, engine: Engine) {
  const graph = createGraph("body", engine);
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
