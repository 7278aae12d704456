import { loadTokenizer, type Tokenizer } from "../corpus/tokenizer.js";
import { type Engine, float32Output } from "../engine/engine.js";
import { createGraph } from "../engine/graph.js";
import { InputError } from "../errors.js";
import type { Folder } from "../tensor/byte-source.js";
import { openCheckpointTensors } from "../tensor/checkpoint-tensors.js";
import { findNonFinite } from "../tensor/non-finite.js";
import type { TensorEntry } from "../tensor/safetensors.js";
import type { ModelDescription } from "./architecture.js";
import { architectures } from "./architectures/index.js";
import { type Config, readConfig } from "./config.js";
import { type Head, logits } from "./head.js";
import { weights } from "./weights.js";

/** Windows of one length, side by side: token ids [count, length] row-major. */
export interface Windows {
  readonly count: number;
  readonly length: number;
  readonly tokenIds: Int32Array;
}

/** A causal language model that is ready to run. */
export interface Model {
  /** As it was asked for. */
  readonly name: string;
  /** `model_type` of its config.json. */
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Longest window that it can take; undefined if any. */
  readonly maxPositions: number | undefined;
  readonly head: Head;
  /** Number type of E as stored. */
  readonly dtype: string;
  readonly engine: Engine;
  /**
   * The model's tokenizer, read when first asked for.
   * @throws InputError if tokenizer.json is missing or cannot be used
   */
  tokenizer(): Promise<Tokenizer>;
  /** What the head multiplies (after the final norm), float32 [count, length, d]. */
  hiddenStates(windows: Windows): Promise<Float32Array>;
  /** z = E h + b and the head's own transform. @param hidden [n, d] @returns [n, V] */
  logits(hidden: Float32Array): Promise<Float32Array>;
  /**
   * Hidden states and, on request, logits of windows of one length, as float32 row-major
   * [batch, time, d] and [batch, time, V].
   * @throws InputError if windows differ in length, are longer than the model allows or hold ids outside the vocabulary
   */
  forward(
    tokenIds: readonly number[] | readonly (readonly number[])[],
    options?: { logits?: boolean },
  ): Promise<{ hidden: Float32Array; logits?: Float32Array }>;
  /** Frees the engine's memory and threads. */
  close(): Promise<void>;
}

/**
 * Reads a checkpoint's config and tensors and makes it ready to run; weights are used where they lie.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function openModel(folder: Folder, engine: Engine, name: string): Promise<Model> {
  const configSource = await folder.open("config.json");
  if (configSource === undefined) throw new InputError(folder.name, "config.json is missing: not a model folder");
  const config: Config = await readConfig(configSource);
  if (config.has("quantization_config")) {
    config.fail("quantization_config", "is set; quantized weights are not supported, use the original checkpoint");
  }
  const modelType = config.string("model_type");
  const architecture = architectures.find(({ modelTypes }) => modelTypes.includes(modelType));
  if (architecture === undefined) {
    const known = architectures.flatMap(({ modelTypes }) => modelTypes).join(", ");
    config.fail(
      "model_type",
      `is ${JSON.stringify(modelType)}, an architecture that is not supported; known: ${known}`,
    );
  }
  const tensors = await openCheckpointTensors(folder);
  const found = weights(folder.name, tensors, architecture.prefixes);
  const description = architecture.describe(config, found);
  for (const tensor of found.used) {
    const bad = await findNonFinite(tensor);
    if (bad !== undefined) {
      throw new InputError(tensor.source.name, `tensor "${tensor.name}" holds ${bad.value} at element ${bad.index}`);
    }
  }
  return model(name, modelType, description, engine, () => loadTokenizer(folder));
}

function model(
  name: string,
  modelType: string,
  description: ModelDescription,
  engine: Engine,
  openTokenizer: () => Promise<Tokenizer>,
): Model {
  const { hiddenSize, maxPositions, inputEmbedding } = description;
  const { weight, bias, transform = {} } = description.head;
  const vocabSize = weight.shape[0]!;
  const head: Head = { weight, bias, transform, tied: sameBytes(weight, inputEmbedding), vocabSize, hiddenSize };
  const bodySession = once(() => engine.load(bodyGraph(description)));
  const logitsSession = once(() => engine.load(logitsGraph(head)));

  const self: Model = {
    name,
    modelType,
    vocabSize,
    hiddenSize,
    maxPositions,
    head,
    dtype: weight.dtype,
    engine,
    tokenizer: once(openTokenizer),
    async hiddenStates({ count, length, tokenIds }) {
      if (maxPositions !== undefined && length > maxPositions) {
        throw new InputError(name, `has ${maxPositions} positions; a window of ${length} tokens is too long`);
      }
      const session = await bodySession();
      const outputs = await session.run({
        input_ids: { type: "int64", data: BigInt64Array.from(tokenIds, BigInt), dims: [count, length] },
        positions: { type: "int64", data: BigInt64Array.from({ length }, (_, i) => BigInt(i)), dims: [length] },
      });
      return float32Output(outputs, "hidden");
    },
    async logits(hidden) {
      const session = await logitsSession();
      const rows = hidden.length / hiddenSize;
      const outputs = await session.run({ hidden: { type: "float32", data: hidden, dims: [rows, hiddenSize] } });
      return float32Output(outputs, "logits");
    },
    async forward(tokenIds, options = {}) {
      const hidden = await self.hiddenStates(toWindows(tokenIds, vocabSize));
      return options.logits ? { hidden, logits: await self.logits(hidden) } : { hidden };
    },
    close: () => engine.close(),
  };
  return self;
}

/** Whether two tensors are one: some files list a tied embedding under both names. */
function sameBytes(a: TensorEntry, b: TensorEntry): boolean {
  return a.source === b.source && a.offset === b.offset && a.byteLength === b.byteLength;
}

function bodyGraph(description: ModelDescription) {
  const graph = createGraph("body");
  const tokenIds = graph.input("input_ids", "int64", ["windows", "time"]);
  const positions = graph.input("positions", "int64", ["time"]);
  const hidden = description.hiddenStates({ graph, tokenIds, positions });
  graph.output(hidden, "hidden", "float32", ["windows", "time", description.hiddenSize]);
  return graph;
}

function logitsGraph(head: Head) {
  const graph = createGraph("logits");
  const hidden = graph.input("hidden", "float32", ["rows", head.hiddenSize]);
  graph.output(logits(graph, head, hidden), "logits", "float32", ["rows", head.vocabSize]);
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

/** The same thing for every caller, loaded when the first asks. */
function once<Thing>(load: () => Promise<Thing>): () => Promise<Thing> {
  let thing: Promise<Thing> | undefined;
  return () => {
    thing ??= load();
    return thing;
  };
}
