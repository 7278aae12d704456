import type { Engine } from "../../engine/engine.js";
import { type Model, openModel } from "../../model/model.js";
import { collectFromHidden } from "../../statistics/collect.js";
import { readIntegers, readSafetensorsHeader, readTensor } from "../../tensor/safetensors/safetensors.js";
import { assetPath } from "../files/assets.js";
import { openFileSource, openFolder } from "../files/file-source.js";

/** What a device may differ from PyTorch by, as a share of the largest magnitude; processors differ by 1e-6. */
export const goldenTolerance = { float32: 1e-4, float16: 1e-3 } as const;

/** The embedded model on an engine. */
export async function openEmbedded(engine: Engine): Promise<Model> {
  return openModel(openFolder(assetPath("tiny-books/")), engine, "tiny-books");
}

/**
 * Computes what PyTorch computed of 40 tokens with the embedded model: the layers, and the sums over the head's output.
 * @returns the largest difference, as a share of the largest magnitude of what differs
 */
export async function goldenDifference(model: Model): Promise<number> {
  const { tensors } = await readSafetensorsHeader(await openFileSource(assetPath("self-test.safetensors")));
  const wanted = (name: string) => readTensor(tensors.get(name)!);
  const tokenIds = Int32Array.from(await readIntegers(tensors.get("input_ids")!));
  const hidden = await model.hiddenStates({ count: 1, length: tokenIds.length, tokenIds });
  const blocks = (async function* () {
    yield hidden;
  })();
  const sums = await collectFromHidden(model, blocks);
  const logNormalizer = (await wanted("log_normalizer")).reduce((sum, value) => sum + value, 0);
  const states = await wanted("hidden");
  const d = model.hiddenSize;
  const squares = Float64Array.from({ length: d }, (_, i) => squareSum(states, i, d));
  return Math.max(
    difference(hidden, states),
    difference(sums.sumProbability, await wanted("sum_probability")),
    difference([sums.sumLogNormalizer], [logNormalizer]),
    difference(
      squares.map((_, i) => sums.sumHiddenOuter[i * d + i]!),
      squares,
    ),
  );
}

function squareSum(rows: Float32Array, column: number, width: number): number {
  let sum = 0;
  for (let at = column; at < rows.length; at += width) sum += rows[at]! ** 2;
  return sum;
}

/** Largest difference as a share of the largest magnitude; NaN counts as infinite. */
export function difference(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let largest = 0;
  let furthest = 0;
  for (let i = 0; i < wanted.length; i++) {
    largest = Math.max(largest, Math.abs(wanted[i]!));
    const distance = Math.abs(found[i]! - wanted[i]!);
    furthest = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(furthest, distance);
  }
  return furthest / largest;
}
