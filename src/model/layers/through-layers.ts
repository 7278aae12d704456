import type { Value } from "../../engine/graph.js";
import type { ForwardPass } from "../architecture.js";

/** What a pass does before, in and behind the layers of a model; x is [batch, time, streamSize]. */
export interface LayerSteps<Layer> {
  /** What the first layer takes in: token ids looked up. */
  begin(): Value;
  layer(x: Value, layer: Layer): Value;
  /** What the head multiplies, of what the last layer puts out. */
  end(x: Value): Value;
}

/**
 * Puts the layers of a model into a pass, one after another: all of them, or those of the part that the pass is.
 * @returns the hidden states that the head multiplies, or what the last layer of the part puts out
 */
export function throughLayers<Layer>(
  { part }: ForwardPass,
  layers: readonly Layer[],
  { begin, layer, end }: LayerSteps<Layer>,
): Value {
  let x = part?.input ?? begin();
  for (const one of layers.slice(part?.first, part?.end)) x = layer(x, one);
  return part === undefined || part.end === layers.length ? end(x) : x;
}
