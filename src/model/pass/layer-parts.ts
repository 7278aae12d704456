import type { Engine } from "../../engine/engine.js";
import { createGraph, type Graph } from "../../engine/graph.js";
import type { LayerRange, ModelDescription } from "../architecture.js";

/** Name of the output of a part, and of the input of the part behind it. */
export const streamName = "stream";

/** The graph of some of a model's layers: inputs as of all of them, and what the layers before put out. */
export function partGraph(
  description: ModelDescription,
  { first, end }: LayerRange,
  engine?: Pick<Engine, "capabilities">,
): Graph {
  const graph = createGraph(`layers-${first}-${end}`, engine);
  const tokenIds = graph.input("input_ids", "int64", ["windows", "time"]);
  const positions = graph.input("positions", "int64", ["time"]);
  const width = description.streamSize ?? description.hiddenSize;
  const input = first === 0 ? undefined : graph.input(streamName, "float32", ["windows", "time", width]);
  const out = description.hiddenStates({ graph, tokenIds, positions, part: { first, end, input } });
  graph.output(out, "hidden", "float32", ["windows", "time", widthBehind(description, end)]);
  return graph;
}

/** Numbers of a context behind so many layers. */
export function widthBehind({ numLayers, streamSize, hiddenSize }: ModelDescription, layers: number): number {
  return layers === numLayers ? hiddenSize : (streamSize ?? hiddenSize);
}

/** Layers one after another in parts that each fit; undefined where one by itself does not. */
export function layerParts(bytesOfLayers: readonly number[], bytes: number): LayerRange[] | undefined {
  const count = bytesOfLayers.length;
  const allFit = (parts: readonly LayerRange[]) =>
    parts.every(({ first, end }) => sum(bytesOfLayers.slice(first, end)) <= bytes);
  for (let size = count; size >= 1; size--) {
    if (!allFit(chunks(count, size))) continue;
    // As many parts of one size, where those fit too: one that is short reads little and waits as long.
    const even = chunks(count, Math.ceil(count / Math.ceil(count / size)));
    return allFit(even) ? even : chunks(count, size);
  }
  return undefined;
}

function chunks(count: number, size: number): LayerRange[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    first: i * size,
    end: Math.min(count, (i + 1) * size),
  }));
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);
