import { InputError } from "../errors.js";
import { bytesPerElement, decodeFloat32, type FloatDType, isFloatDType } from "../tensor/dtype.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { quote } from "../tensor/strict-json.js";
import type { Convergence, Movement, PartMovement } from "./dynamics.js";
import type { Checkpoint } from "./inputs/checkpoint.js";
import { compareParts, type Part, partName, partOf } from "./parts.js";

/** Numbers of a tensor held at once, of each of three checkpoints. */
const chunkNumbers = 2 ** 22;

export interface ConvergenceOptions {
  signal?: AbortSignal | undefined;
  /** @param done tensors of all */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * How far every part of the model is at each checkpoint, against the last and the previous one, and along its path through
 * all of them (METHOD.md section 5). Tensor by tensor, a piece of three checkpoints at a time: memory does not grow with the
 * model.
 * @param checkpoints by rising step; one with a weight that is not finite is left out of `steps`
 * @throws InputError if checkpoints have different tensors
 */
export async function measureConvergence(
  checkpoints: readonly Checkpoint[],
  options: ConvergenceOptions = {},
): Promise<{ convergence: Convergence; notFinite: { name: string; step: number; tensor: string }[] }> {
  const notFinite: { name: string; step: number; tensor: string }[] = [];
  let usable = [...checkpoints];
  for (;;) {
    const last = usable.at(-1);
    if (last === undefined) throw new InputError("checkpoints", "none has only finite weights");
    const measured = await measure(usable, options);
    if (!("bad" in measured)) return { convergence: measured, notFinite };
    const { bad, tensor } = measured;
    notFinite.push({ name: bad.name, step: bad.step, tensor });
    usable = usable.filter((checkpoint) => checkpoint !== bad);
  }
}

/** Sums over the numbers of a tensor or a part, [checkpoints] each. */
interface Sums {
  parameters: number;
  squares: Float64Array;
  withLast: Float64Array;
  fromLast: Float64Array;
  withPrevious: Float64Array;
  fromPrevious: Float64Array;
}

async function measure(
  checkpoints: readonly Checkpoint[],
  { signal, onProgress }: ConvergenceOptions,
): Promise<Convergence | { bad: Checkpoint; tensor: string }> {
  const opened = await Promise.all(checkpoints.map((checkpoint) => checkpoint.tensors()));
  const names = learntTensors(checkpoints, opened);
  const parts = new Map<string, { part: Part; sums: Sums }>();
  const layers = new Map<number, Sums>();
  const tensors: Record<string, { cosine: number[]; relativeDistance: number[] }> = {};
  for (const [done, name] of names.entries()) {
    signal?.throwIfAborted();
    onProgress?.(done, names.length);
    const entries = opened.map((all) => all.get(name)!);
    const sums = newSums(entries.length);
    const bad = await addTensor(sums, entries);
    if (bad !== undefined) return { bad: checkpoints[bad]!, tensor: name };
    const part = partOf(name)!;
    const key = partName(part);
    const known = parts.get(key) ?? { part, sums: newSums(entries.length) };
    parts.set(key, known);
    addSums(known.sums, sums);
    if (part.layer !== null) {
      const layer = layers.get(part.layer) ?? newSums(entries.length);
      layers.set(part.layer, layer);
      addSums(layer, sums);
    }
    const { cosine, relativeDistance } = movement(sums);
    tensors[name] = { cosine, relativeDistance };
  }
  onProgress?.(names.length, names.length);
  return {
    steps: checkpoints.map(({ step }) => step),
    parts: [...parts.values()]
      .sort((a, b) => compareParts(a.part, b.part))
      .map(({ part, sums }): PartMovement => ({ ...part, name: partName(part), ...described(sums) })),
    layers: [...layers]
      .sort(([a], [b]) => a - b)
      .map(([layer, sums]): PartMovement => ({ layer, kind: "other", name: `layer ${layer}`, ...described(sums) })),
    tensors,
  };
}

/** Names of the floating-point weights, in the order of the last checkpoint, once all checkpoints have the same. */
function learntTensors(
  checkpoints: readonly Checkpoint[],
  opened: readonly ReadonlyMap<string, TensorEntry>[],
): string[] {
  const last = opened.at(-1)!;
  const names = [...last].filter(([name, entry]) => isFloatDType(entry.dtype) && partOf(name)).map(([name]) => name);
  for (const [k, tensors] of opened.entries()) {
    for (const name of names) {
      const entry = tensors.get(name);
      const { name: checkpoint } = checkpoints[k]!;
      if (entry === undefined) {
        throw new InputError(checkpoint, `has no tensor ${quote(name)}, which ${checkpoints.at(-1)!.name} has`);
      }
      const [shape, wanted] = [entry.shape, last.get(name)!.shape].map((sizes) => `[${sizes.join(", ")}]`);
      if (shape !== wanted || !isFloatDType(entry.dtype)) {
        throw new InputError(
          checkpoint,
          `tensor ${quote(name)} is ${entry.dtype} ${shape}, and ${wanted} in ${checkpoints.at(-1)!.name}`,
        );
      }
    }
  }
  return names;
}

/** @returns index of the first checkpoint with a number that is not finite */
async function addTensor(sums: Sums, entries: readonly TensorEntry[]): Promise<number | undefined> {
  const count = entries[0]!.shape.reduce((product, size) => product * size, 1);
  sums.parameters += count;
  for (let start = 0; start < count; start += chunkNumbers) {
    const length = Math.min(chunkNumbers, count - start);
    const last = await readChunk(entries.at(-1)!, start, length);
    let previous: Float32Array | undefined;
    for (let k = 0; k < entries.length; k++) {
      const current = k === entries.length - 1 ? last : await readChunk(entries[k]!, start, length);
      addChunk(sums, k, current, previous ?? current, last);
      if (!Number.isFinite(sums.squares[k]!)) return k;
      previous = current;
    }
  }
  return undefined;
}

async function readChunk({ source, offset, dtype }: TensorEntry, start: number, length: number): Promise<Float32Array> {
  const width = bytesPerElement[dtype];
  return decodeFloat32(dtype as FloatDType, await source.read(offset + start * width, length * width));
}

function addChunk(sums: Sums, k: number, current: Float32Array, previous: Float32Array, last: Float32Array): void {
  let [squares, withLast, fromLast, withPrevious, fromPrevious] = [0, 0, 0, 0, 0];
  for (let i = 0; i < current.length; i++) {
    const value = current[i]!;
    const end = last[i]!;
    const before = previous[i]!;
    squares += value * value;
    withLast += value * end;
    fromLast += (value - end) * (value - end);
    withPrevious += value * before;
    fromPrevious += (value - before) * (value - before);
  }
  sums.squares[k]! += squares;
  sums.withLast[k]! += withLast;
  sums.fromLast[k]! += fromLast;
  sums.withPrevious[k]! += withPrevious;
  sums.fromPrevious[k]! += fromPrevious;
}

function newSums(checkpoints: number): Sums {
  const zeros = () => new Float64Array(checkpoints);
  return {
    parameters: 0,
    squares: zeros(),
    withLast: zeros(),
    fromLast: zeros(),
    withPrevious: zeros(),
    fromPrevious: zeros(),
  };
}

function addSums(into: Sums, from: Sums): void {
  into.parameters += from.parameters;
  for (const key of ["squares", "withLast", "fromLast", "withPrevious", "fromPrevious"] as const) {
    for (let k = 0; k < into[key].length; k++) into[key][k]! += from[key][k]!;
  }
}

function described(sums: Sums): Movement & { parameters: number } {
  return { parameters: sums.parameters, ...movement(sums) };
}

function movement({ squares, withLast, fromLast, withPrevious, fromPrevious }: Sums): Movement {
  const count = squares.length;
  const each = (value: (k: number) => number) => Array.from({ length: count }, (_, k) => value(k));
  const cosine = (product: number, a: number, b: number) => (a > 0 && b > 0 ? product / Math.sqrt(a * b) : 0);
  const lastSquares = squares[count - 1]!;
  const walked = each((k) => Math.sqrt(fromPrevious[k]!));
  const path = walked.reduce((sum, length) => sum + length, 0);
  let soFar = 0;
  return {
    cosine: each((k) => cosine(withLast[k]!, squares[k]!, lastSquares)),
    relativeDistance: each((k) => ratio(Math.sqrt(fromLast[k]!), Math.sqrt(lastSquares))),
    cosineToPrevious: each((k) => cosine(withPrevious[k]!, squares[k]!, squares[Math.max(0, k - 1)]!)),
    relativeDistanceToPrevious: each((k) => ratio(walked[k]!, Math.sqrt(squares[Math.max(0, k - 1)]!))),
    pathShare: each((k) => {
      soFar += walked[k]!;
      return path > 0 ? Math.min(1, soFar / path) : 1;
    }),
  };
}

/** A distance from nothing is infinite, which JSON has no word for: given as 1, as a distance of its own length is. */
function ratio(distance: number, size: number): number {
  if (size > 0) return distance / size;
  return distance > 0 ? 1 : 0;
}
