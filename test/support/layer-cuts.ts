import type { Model } from "../../src/model/model.js";
import { throughParts } from "../../src/model/pass/layers-in-turn.js";
import { memoryPlace } from "../../src/model/pass/state-place.js";
import type { Windows } from "../../src/model/pass/window-batches.js";

/** What the head multiplies where the layers take turns in two parts, the first up to and without layer `cut`. */
export async function hiddenCutAt(model: Model, windows: Windows, cut: number): Promise<Float32Array> {
  const end = model.description.numLayers!;
  const parts = [
    { first: 0, end: cut },
    { first: cut, end },
  ];
  const states = await throughParts(model, [windows], parts, { place: memoryPlace() });
  return states.read(0, windows.tokenIds.length * model.hiddenSize);
}

/** Largest difference, as a share of the largest magnitude; infinite where one of them is not finite. */
export function relativeDifference(found: Float32Array, wanted: Float32Array): number {
  let [largest, furthest] = [0, 0];
  for (const [index, value] of wanted.entries()) {
    const distance = Math.abs(found[index]! - value);
    largest = Math.max(largest, Math.abs(value));
    furthest = Number.isFinite(distance) ? Math.max(furthest, distance) : Number.POSITIVE_INFINITY;
  }
  return found.length === wanted.length ? furthest / largest : Number.POSITIVE_INFINITY;
}
