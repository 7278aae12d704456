import type { Graph, Value } from "../engine/graph.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import type { Config } from "./config.js";
import type { HeadTransform } from "./head/head-transform.js";
import type { ReducedHead } from "./head/reduced-head.js";
import type { Affine } from "./layers/layers.js";
import type { Weights } from "./weights.js";

/**
 * One family of models: how its config and weights are named and what its layers compute. A file per family under
 * architectures/ reads like the architecture's own description; adding a family is adding a file.
 */
export interface Architecture {
  /** The family and what variants of it are read, for people: one line. */
  readonly description: string;
  /** Values of `model_type` in config.json that it serves. */
  readonly modelTypes: readonly string[];
  /** Tried in turn in front of every tensor name: checkpoints are saved with and without the outer module's name. */
  readonly prefixes: readonly string[];
  /**
   * Reads the config and finds the weights.
   * @throws InputError naming a field that contradicts the tensors or changes the arithmetic in an unsupported way
   */
  describe(config: Config, weights: Weights): ModelDescription;
}

/** What an architecture says of one checkpoint. */
export interface ModelDescription {
  readonly hiddenSize: number;
  /** Longest window that the position encoding allows; undefined if any. */
  readonly maxPositions: number | undefined;
  /** [V, d] */
  readonly inputEmbedding: TensorEntry;
  readonly head: {
    /** E, [V, d]. */
    readonly weight: TensorEntry;
    /** What transformers calls a head of its own; "lm_head.weight" if left out. */
    readonly ownName?: string | undefined;
    /** b, [V]. */
    readonly bias?: TensorEntry | undefined;
    readonly transform?: HeadTransform | undefined;
    /** The first of two stages, of what was written with one. */
    readonly preview?: ReducedHead | undefined;
  };
  /** The norm that ends the layers, so that the head multiplies what comes out of it; undefined if something else does. */
  readonly finalNorm?: FinalNormWeights | undefined;
  /** Layers that a pass may be cut behind; undefined where one takes in more than what the layer before it puts out. */
  readonly numLayers: number | undefined;
  /** How many numbers go from layer to layer; d if left out. */
  readonly streamSize?: number | undefined;
  /**
   * Adds the layers to the graph, or those of the part that the pass is.
   * @returns the hidden states that the head multiplies, [batch, time, d], or what goes to the next part, [batch, time, streamSize]
   */
  hiddenStates(pass: ForwardPass): Value;
}

/** Weights of a norm, [d] each; left out where it has none. */
export interface FinalNormWeights extends Partial<Affine> {
  /** LayerNorm, or root mean square. */
  readonly kind: "layer" | "rms";
  /** What is added to the weight as stored: 1 in families that store it less one (Gemma). Default 0. */
  readonly weightOffset?: 0 | 1 | undefined;
}

/** One forward pass that is being put into a graph. */
export interface ForwardPass {
  readonly graph: Graph;
  /** int64 [batch, time]. */
  readonly tokenIds: Value;
  /** Position of each token in its window, int64: [time], or [batch, time] where there is a cache. */
  readonly positions: Value;
  /** The layers that it goes through; undefined if all. */
  readonly part?: LayerPart | undefined;
  /** Keys and values of earlier passes over the same texts; undefined where a pass begins and ends with its windows. */
  readonly cache?: KeyValueCache | undefined;
}

/** Some layers of a model, one behind another: from `first` on, up to and without `end`. */
export interface LayerRange {
  readonly first: number;
  readonly end: number;
}

/** A pass through some layers. */
export interface LayerPart extends LayerRange {
  /** What the layers before it put out, [batch, time, streamSize]; undefined where there are none. */
  readonly input: Value | undefined;
}

/** What earlier passes over the same texts left to each layer: keys and values that attention sees too, or states. */
export interface KeyValueCache {
  /** int64 [batch, past + time]: 1 for a token, 0 for padding. */
  readonly attentionMask: Value;
  /**
   * Says that positions depend on the length of the text so far.
   * @param changesAfter a length after which all of them are others, those already cached too
   */
  lengthMatters(changesAfter?: number): void;
  /**
   * Puts this pass's keys and values of the next layer after the earlier ones.
   * @param fresh [batch, numKvHeads, time, headDim] each @returns [batch, numKvHeads, past + time, headDim] each
   */
  extend(fresh: KeysAndValues): KeysAndValues;
  /**
   * Goes on from states of the next layer that do not grow with the text.
   * @param shapes of each state of one text, by the names that ONNX exports give them ("conv", "ssm", "recurrent")
   * @param step what is made of the states as they are, zeros at a text's beginning, [batch, ...]
   * @returns the output of the step
   */
  carry<Name extends string>(
    shapes: Readonly<Record<Name, readonly number[]>>,
    step: (past: Readonly<Record<Name, Value>>) => Readonly<Record<Name | "output", Value>>,
  ): Value;
}

/** A layer's keys and values. */
export interface KeysAndValues {
  readonly keys: Value;
  readonly values: Value;
  readonly numKvHeads: number;
  /** Numbers in one head of the keys, and of the values; as many if left out. */
  readonly headDim: number;
  readonly valueDim?: number;
}
