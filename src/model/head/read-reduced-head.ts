import { InputError } from "../../errors.js";
import type { TensorEntries } from "../../tensor/checkpoint-layouts.js";
import { readIntegers, readTensor, type TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { boundBlocks, type PreviewBound, type ReducedHead, reducedNames } from "./reduced-head.js";

/**
 * The factored head among the weights of an ONNX file.
 * @param place file or folder that holds them, for messages
 * @throws InputError if a part is missing, has another shape, or holds numbers that cannot be used
 */
export async function readReducedHead(
  place: string,
  weights: TensorEntries,
  { vocabSize, hiddenSize }: { vocabSize: number; hiddenSize: number },
): Promise<ReducedHead> {
  const kept = weights.get(reducedNames.factor)?.shape[1] ?? 0;
  const named = (part: keyof typeof reducedNames, shape: number[]) =>
    requiredWeight(place, weights, reducedNames[part], shape);
  const numbers = async (part: Exclude<keyof typeof reducedNames, "coordinates" | "rescore">, shape: number[]) => {
    const values = await readTensor(named(part, shape));
    if (values.every(Number.isFinite)) return values;
    throw new InputError(place, `weight "${reducedNames[part]}" holds numbers that are not finite`);
  };
  const factor = await numbers("factor", [vocabSize, kept]);
  const bias = await numbers("bias", [vocabSize]);
  const rescore = weights.has(reducedNames.rescore) ? await rescored() : undefined;
  if (!weights.has(reducedNames.coordinates)) {
    const projection = await numbers("projection", [kept, hiddenSize]);
    const bound = weights.has(reducedNames.reach) ? await boundOf() : undefined;
    return { kept, factor, bias, coordinates: undefined, projection, rescore, bound };
  }
  const coordinates = Int32Array.from(await readIntegers(named("coordinates", [kept])));
  if (!coordinates.every((i, at) => i < hiddenSize && i > (coordinates[at - 1] ?? -1))) {
    const wanted = `are not ${kept} rising numbers below ${hiddenSize}`;
    throw new InputError(place, `weight "${reducedNames.coordinates}": ${wanted}`);
  }
  return { kept, factor, bias, coordinates, projection: undefined, rescore };

  async function boundOf(): Promise<PreviewBound> {
    const j = hiddenSize - kept;
    return {
      reader: await numbers("reader", [j, hiddenSize]),
      centre: await numbers("centre", [j]),
      reach: await numbers("reach", [vocabSize, boundBlocks]),
      slack: await numbers("slack", [2]),
    };
  }

  async function rescored(): Promise<number> {
    const [count] = await readIntegers(named("rescore", [1]));
    if (count! >= 1 && count! <= vocabSize) return count!;
    throw new InputError(place, `weight "${reducedNames.rescore}": ${count} is not from 1 to ${vocabSize} tokens`);
  }
}

/** @throws InputError if there is no weight of that name and shape */
export function requiredWeight(
  place: string,
  weights: TensorEntries,
  name: string,
  shape: readonly number[],
): TensorEntry {
  const tensor = weights.get(name);
  if (tensor === undefined) throw new InputError(place, `holds no weight "${name}"`);
  if (tensor.shape.length === shape.length && shape.every((size, axis) => size === tensor.shape[axis])) return tensor;
  const found = `[${tensor.shape.join(", ")}] where [${shape.join(", ")}] is wanted`;
  throw new InputError(place, `weight "${name}" has shape ${found}`);
}
