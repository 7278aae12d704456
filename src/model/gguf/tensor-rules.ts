import { InputError } from "../../errors.js";
import { blockTensor } from "../../tensor/blocks/block-tensor.js";
import { blockRowBytes } from "../../tensor/blocks/block-types.js";
import { type GgufTensor, isBlockType } from "../../tensor/gguf/gguf-file.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { quote } from "../../tensor/strict-json.js";
import { mappedTensor, reorderedRows, transposedTensor } from "../../tensor/tensor-views.js";

/** Makes of a tensor as GGUF has it the one that a checkpoint of transformers holds. @param name of that one */
export type TensorView = (tensor: GgufTensor, name: string) => TensorEntry;

/** Makes several tensors of one. @param named puts the layer's number in place of "#" */
export type TensorParts = (tensor: GgufTensor, named: (pattern: string) => string) => readonly TensorEntry[];

/**
 * What a tensor is called in transformers and, where it is laid out otherwise, what makes it so, or several of it; "#" is a
 * layer's number.
 */
export type TensorRules = Readonly<Record<string, string | readonly [name: string, view: TensorView] | TensorParts>>;

/**
 * The tensors of a checkpoint of transformers by its names, made from those of GGUF files as they are read.
 * @param apart tensors that the config was made from
 * @throws InputError naming a tensor that no rule knows: it would change the arithmetic
 */
export function renamedTensors(
  tensors: ReadonlyMap<string, GgufTensor>,
  rules: TensorRules,
  apart: readonly string[],
): Map<string, TensorEntry> {
  const renamed = new Map<string, TensorEntry>();
  for (const tensor of tensors.values()) {
    if (apart.includes(tensor.name)) continue;
    const layer = /^blk\.(\d{1,6})\./.exec(tensor.name)?.[1];
    const rule = rules[layer === undefined ? tensor.name : tensor.name.replace(layer, "#")];
    if (rule === undefined) {
      const problem = "is not known in models of this architecture";
      throw new InputError(tensor.source.name, `tensor ${quote(tensor.name)} ${problem}`);
    }
    const named = (pattern: string) => (layer === undefined ? pattern : pattern.replace("#", layer));
    if (typeof rule === "function") {
      for (const part of rule(tensor, named)) renamed.set(part.name, part);
      continue;
    }
    const [pattern, view] = typeof rule === "string" ? [rule, asStored] : rule;
    renamed.set(named(pattern), view(tensor, named(pattern)));
  }
  return renamed;
}

/** The tensor as it lies. */
export const asStored: TensorView = ({ type, source, offset, byteLength, shape }, name) =>
  isBlockType(type)
    ? blockTensor(name, shape, { type, source, offset })
    : { name, dtype: type, shape, source, offset, byteLength };

/** Rows (of a bias: numbers) in the order that transformers has them in. @param order which row of the file each is */
export function reordered(order: (rows: number) => Int32Array): TensorView {
  return (tensor, name) => {
    const { type, source, offset, byteLength, shape } = tensor;
    const rows = shape[0]!;
    const rowBytes = shape.length > 1 && isBlockType(type) ? blockRowBytes(type, shape.at(-1)!) : byteLength / rows;
    const moved = reorderedRows({ source, offset, rows, rowBytes }, order(rows));
    return asStored({ ...tensor, source: moved, offset: 0 }, name);
  };
}

/** GPT-2's matrices, which transformers stores [in, out]. */
export const transposed: TensorView = (tensor, name) => transposedTensor(asStored(tensor, name));

/** Gemma's norms, which transformers stores less one. */
export const lessOne: TensorView = (tensor, name) => mappedTensor(asStored(tensor, name), (weight) => weight - 1);

/** One tensor for each item of the first axis, such as experts or heads. @param pattern with "@" in place of its number */
export function eachOf(pattern: string): TensorParts {
  return (tensor, named) => {
    const whole = asStored(tensor, tensor.name);
    const [count = 1, ...shape] = whole.shape;
    const byteLength = whole.byteLength / count;
    return Array.from({ length: Math.min(count, maxParts) }, (_, index) => ({
      ...whole,
      name: named(pattern).replace("@", `${index}`),
      shape,
      offset: whole.offset + index * byteLength,
      byteLength,
    }));
  };
}

/** More experts or heads than any model has: the family says how many it wants. */
const maxParts = 2 ** 12;

/** Rows of a matrix, or numbers of a bias, as tensors of their own. @param names with how many of them each has */
export function splitRows(names: readonly (readonly [pattern: string, rows: number])[]): TensorParts {
  return (tensor, named) => {
    const total = names.reduce((sum, [, rows]) => sum + rows, 0);
    if (tensor.shape[0] !== total) {
      const problem = `has ${tensor.shape[0]} rows where the metadata says ${total}`;
      throw new InputError(tensor.source.name, `tensor ${quote(tensor.name)} ${problem}`);
    }
    const whole = asStored(tensor, tensor.name);
    const rowBytes = whole.byteLength / total;
    let start = 0;
    return names.map(([pattern, rows]) => {
      const offset = whole.offset + start * rowBytes;
      start += rows;
      return {
        ...whole,
        name: named(pattern),
        shape: [rows, ...whole.shape.slice(1)],
        offset,
        byteLength: rows * rowBytes,
      };
    });
  };
}

/**
 * Rows of q or k, whose heads have pairs of rotary positions side by side, where transformers has first halves before second ones.
 * @throws InputError if the rows don't divide into the heads
 */
export function halvesApart(heads: number): TensorView {
  return (tensor, name) => {
    const headDim = tensor.shape[0]! / heads;
    if (headDim % 2 !== 0) {
      const problem = `has ${tensor.shape[0]} rows, which do not divide into ${heads} heads of pairs`;
      throw new InputError(tensor.source.name, `tensor ${quote(tensor.name)} ${problem}`);
    }
    return reordered((rows) =>
      Int32Array.from({ length: rows }, (_, row) => {
        const [head, place] = [Math.floor(row / headDim), row % headDim];
        const half = Math.floor(place / (headDim / 2));
        return head * headDim + 2 * (place - half * (headDim / 2)) + half;
      }),
    )(tensor, name);
  };
}
