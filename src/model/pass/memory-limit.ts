import { InputError } from "../../errors.js";
import type { LayerRange, ModelDescription } from "../architecture.js";
import { layerParts } from "./layer-parts.js";
import type { PartProgress } from "./layers-in-turn.js";
import { type MemoryNeeds, memoryNeeds } from "./memory-needs.js";
import type { StatePlace } from "./state-place.js";

/** How much memory a model may take, and where hidden states lie while its layers take turns. */
export interface MemoryLimit {
  /** Bytes for weights and for what layers compute, beside the program itself. */
  readonly bytes: number;
  readonly place: StatePlace;
  /** Say so too where all layers fit at once. */
  readonly announce?: boolean | undefined;
  readonly onNotice?: ((message: string) => void) | undefined;
  readonly onProgress?: ((progress: PartProgress) => void) | undefined;
}

/** Of windows whose length is not known yet. */
const usualLength = 256;

/**
 * What it takes to run a model in parts; undefined where it fits in one piece.
 * @throws InputError saying how much memory is needed where a single layer is too much, or layers cannot take turns
 */
export function turnsWithin<Model extends { name: string; modelType: string; description: ModelDescription }>(
  model: Model,
  limit: MemoryLimit,
): (Model & { readonly needs: MemoryNeeds; readonly limit: MemoryLimit }) | undefined {
  const needs = memoryNeeds(model.description);
  const contextLength = Math.min(usualLength, model.description.maxPositions ?? usualLength);
  const whole = needs.whole + needs.head + needs.working(contextLength);
  if (whole <= limit.bytes) {
    if (limit.announce) limit.onNotice?.(`all layers at once: ${bytesText(whole)} of ${bytesText(limit.bytes)}`);
    return undefined;
  }
  if (model.description.numLayers === undefined) {
    throw new InputError(
      model.name,
      `needs ${bytesText(whole)} of memory and ${bytesText(limit.bytes)} are allowed; layers of ${model.modelType} cannot ` +
        "take turns, because one takes in more than what the layer before it puts out: raise --max-memory (maxMemory)",
    );
  }
  partsWithin(model.name, needs, limit, { first: 0, contextLength });
  return { ...model, needs, limit };
}

/**
 * The parts that layers from `first` on take turns in.
 * @throws InputError saying how much memory is needed where a single layer, or the head, is too much
 */
export function partsWithin(
  name: string,
  { layers, working, head }: MemoryNeeds,
  { bytes }: Pick<MemoryLimit, "bytes">,
  { first, contextLength }: { first: number; contextLength: number },
): LayerRange[] {
  const parts = layerParts(layers.slice(first), bytes - working(contextLength));
  if (parts !== undefined && head <= bytes) {
    return parts.map((part) => ({ first: first + part.first, end: first + part.end }));
  }
  const ofLayer = Math.max(...layers.slice(first)) + working(contextLength);
  const [what, needed] = ofLayer > head ? ["one layer at a time", ofLayer] : ["its output embedding", head];
  throw new InputError(
    name,
    `needs ${bytesText(needed)} of memory for ${what}, and ${bytesText(bytes)} are allowed: raise --max-memory (maxMemory)`,
  );
}

/** Bytes for people. Upwards, so that as much as is said is enough. */
export function bytesText(bytes: number): string {
  const up = (unit: number) => Math.ceil((10 * bytes) / unit) / 10;
  if (bytes >= 1e9) return `${up(1e9)} GB`;
  return bytes >= 1e6 ? `${up(1e6)} MB` : `${up(1e3)} kB`;
}
