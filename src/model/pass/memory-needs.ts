import type { Graph } from "../../engine/graph.js";
import type { LayerRange, ModelDescription } from "../architecture.js";
import { partGraph, sum } from "./layer-parts.js";

/** Contexts of one run of the layers, where windows are no longer (`windowBatches`). */
const usualContexts = 256;
/** Numbers in each head of attention, about; the scores of each are T x T. */
const usualHeadDim = 64;

/** Bytes that a model takes in memory, beside the program itself; estimates. */
export interface MemoryNeeds {
  /** Weights of each layer as float32; of the first with the input embedding as stored, of the last with the final norm. */
  readonly layers: readonly number[];
  /** Weights of all layers. */
  readonly whole: number;
  /** What one run of layers computes with, for windows of a length. */
  working(contextLength: number): number;
  /** E as float32, which comes after the layers. */
  readonly head: number;
}

/** @throws InputError as the description's own graph does */
export function memoryNeeds(description: ModelDescription): MemoryNeeds {
  const { numLayers, inputEmbedding, hiddenSize, streamSize = hiddenSize, head } = description;
  let widest = streamSize;
  const bytesOf = (range: LayerRange) => {
    const graph = partGraph(description, range);
    widest = Math.max(widest, widestOf(graph, inputEmbedding.name));
    return weightBytes(graph, description);
  };
  const layers = Array.from({ length: numLayers ?? 0 }, (_, first) => bytesOf({ first, end: first + 1 }));
  const [vocabSize] = head.weight.shape as [number, number];
  return {
    layers,
    whole: numLayers === undefined ? bytesOf({ first: 0, end: Number.POSITIVE_INFINITY }) : sum(layers),
    working(contextLength) {
      const contexts = Math.max(usualContexts, contextLength);
      return 4 * contexts * (8 * streamSize + 3 * widest + (contextLength * streamSize) / usualHeadDim);
    },
    head: 4 * vocabSize * hiddenSize,
  };
}

/** Widened to float32 when a session is made, but for an embedding whose rows are widened as they are looked up. */
function weightBytes(graph: Graph, { inputEmbedding }: ModelDescription): number {
  const isTable = graph.weights.some(({ tensor }) => tensor.name === inputEmbedding.name);
  const size = inputEmbedding.shape.reduce((product, count) => product * count, 1);
  return graph.weightBytes - (isTable ? 4 * size - inputEmbedding.byteLength : 0);
}

/** The most numbers that a matrix of a layer makes of one context. */
function widestOf({ weights }: Graph, embedding: string): number {
  const sizes = weights
    .filter(({ tensor }) => tensor.name !== embedding)
    .flatMap(({ tensor: { shape } }) => (shape.length === 2 ? shape : []));
  return sizes.reduce((largest, size) => Math.max(largest, size), 0);
}
