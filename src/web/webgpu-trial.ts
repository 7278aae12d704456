import { type Model, openModel } from "../model/model.js";
import type { Windows } from "../model/pass/window-batches.js";
import type { Folder } from "../tensor/byte-source.js";
import { createWebGpuEngine } from "./page-engine.js";

/** Largest difference of hidden states from the processor's, of their largest magnitude. */
const tolerance = 1e-3;

/** Long enough for the operators of long texts: onnxruntime's fused attention is wrong from 32 tokens on, on some devices. */
const windowLength = 64;

/**
 * The model on the graphics card, where one window comes out there as on the processor; the model as it was where it does not, or
 * where there is no card. Closes the engine of the other.
 * @param onNotice told which, and why
 */
export async function agreeingWebGpu(
  model: Model,
  folder: Folder,
  onNotice: ((message: string) => void) | undefined,
): Promise<Model> {
  const features = await adapterFeatures();
  if (features === undefined) {
    onNotice?.("WebGPU: this browser has no graphics card to compute on; the processor is used");
    return model;
  }
  const engine = createWebGpuEngine({ float16: features.has("shader-f16") });
  try {
    const onCard = await openModel(folder, engine, model.name);
    const difference = await relativeDifference(model, onCard);
    // Also where it is NaN.
    if (!(difference <= tolerance)) throw new Error(`hidden states differ by ${difference.toExponential(1)}`);
    onNotice?.(
      `WebGPU: hidden states are the processor's to ${difference.toExponential(1)}; the graphics card is used`,
    );
    await model.close();
    return onCard;
  } catch (error) {
    await engine.close();
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    onNotice?.(`WebGPU: ${reason}; the processor is used`);
    return model;
  }
}

/** Of the graphics card; undefined if there is none. TypeScript's library has no WebGPU yet. */
async function adapterFeatures(): Promise<ReadonlySet<string> | undefined> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<{ features: ReadonlySet<string> } | null> } };
  return (await gpu?.requestAdapter().catch(() => null))?.features;
}

/** Of the two models' hidden states for one window, over the first one's largest magnitude. */
async function relativeDifference(a: Model, b: Model): Promise<number> {
  const length = Math.min(windowLength, a.maxPositions ?? windowLength);
  const tokenIds = Int32Array.from({ length }, (_, i) => (i * 7919 + 1) % a.vocabSize);
  const window: Windows = { count: 1, length, tokenIds };
  const [x, y] = [await a.hiddenStates(window), await b.hiddenStates(window)];
  let [largest, difference] = [0, 0];
  x.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - y[i]!));
  });
  return difference / largest;
}
