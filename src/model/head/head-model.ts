import { hasTokenizer } from "../../corpus/tokenizer/open-source.js";
import { loadTokenizer, type Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { type Engine, float32Output } from "../../engine/engine.js";
import { createGraph, type Graph } from "../../engine/graph.js";
import { storedType } from "../../tensor/blocks/block-tensor.js";
import type { Folder } from "../../tensor/byte-source.js";
import type { TensorEntries } from "../../tensor/checkpoint-layouts.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { ModelDescription } from "../architecture.js";
import { type Head, logits } from "./head.js";

/** The head of a model and its tokenizer, ready to run on hidden states. */
export interface HeadModel {
  /** As it was asked for. */
  readonly name: string;
  /** `model_type` of its config.json; of a language model inside a larger one that too: "llava (text: llama)". */
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly head: Head;
  /** Number type of E as stored. */
  readonly dtype: string;
  readonly engine: Engine;
  /** The checkpoint's files. */
  readonly folder: Folder;
  /** All of the model's tensors by name, where they lie. */
  readonly tensors: TensorEntries;
  /** Whether a checkpoint of the architecture has a place for the whole head; an ONNX file may hold more. */
  readonly hasOrdinaryHead: boolean;
  /** Name of an untied output embedding in this family's checkpoints. */
  readonly headName: string;
  /** Whether there is a tokenizer.json, or what can stand for it. */
  hasTokenizer(): Promise<boolean>;
  /**
   * The model's tokenizer, read when first asked for.
   * @throws InputError if tokenizer.json is missing or cannot be used
   */
  tokenizer(): Promise<Tokenizer>;
  /** z = E h + b and the head's own transform. @param hidden [n, d] @returns [n, V] */
  logits(hidden: Float32Array): Promise<Float32Array>;
  /** Frees the engine's memory and threads. */
  close(): Promise<void>;
}

export interface HeadModelParts {
  name: string;
  modelType: string;
  head: ModelDescription["head"];
  inputEmbedding: TensorEntry | undefined;
  engine: Engine;
  folder: Folder;
  tensors: TensorEntries;
  /** Default true. */
  hasOrdinaryHead?: boolean;
}

export function headModel(parts: HeadModelParts): HeadModel {
  const { name, modelType, inputEmbedding, engine } = parts;
  const { weight, bias, transform = {}, preview } = parts.head;
  const [vocabSize, hiddenSize] = weight.shape as [number, number];
  const tied = inputEmbedding !== undefined && sameBytes(weight, inputEmbedding);
  const head: Head = { weight, bias, transform, tied, vocabSize, hiddenSize, preview };
  const session = once(() => engine.load(logitsGraph(head, engine)));
  return {
    name,
    modelType,
    vocabSize,
    hiddenSize,
    head,
    dtype: storedType(weight),
    engine,
    folder: parts.folder,
    tensors: parts.tensors,
    hasOrdinaryHead: parts.hasOrdinaryHead ?? true,
    headName: tied ? (parts.head.ownName ?? "lm_head.weight") : weight.name,
    hasTokenizer: () => hasTokenizer(parts.folder),
    tokenizer: once(() => loadTokenizer(parts.folder)),
    async logits(hidden) {
      const rows = hidden.length / hiddenSize;
      const feed = { hidden: { type: "float32" as const, data: hidden, dims: [rows, hiddenSize] } };
      return float32Output(await (await session()).run(feed), "logits");
    },
    close: () => engine.close(),
  };
}

/** The tokenizer of a model that has one: token ids and hidden states can do without. */
export async function optionalTokenizer(model: HeadModel): Promise<Tokenizer | undefined> {
  return (await model.hasTokenizer()) ? model.tokenizer() : undefined;
}

/** Whether two tensors are one: some files list a tied embedding under both names. */
function sameBytes(a: TensorEntry, b: TensorEntry): boolean {
  return a.source === b.source && a.offset === b.offset && a.byteLength === b.byteLength;
}

/** z of a head by itself: `hidden` [rows, d] to `logits` [rows, V]. */
export function logitsGraph(head: Head, engine?: Pick<Engine, "capabilities">): Graph {
  const graph = createGraph("logits", engine);
  const hidden = graph.input("hidden", "float32", ["rows", head.hiddenSize]);
  graph.output(logits(graph, head, hidden), "logits", "float32", ["rows", head.vocabSize]);
  return graph;
}

/** The same thing for every caller, loaded when the first asks. */
export function once<Thing>(load: () => Promise<Thing>): () => Promise<Thing> {
  let thing: Promise<Thing> | undefined;
  return () => {
    thing ??= load();
    return thing;
  };
}
