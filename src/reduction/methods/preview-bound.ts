import type { Engine } from "../../engine/engine.js";
import { InputError } from "../../errors.js";
import { dot } from "../../linalg/dot.js";
import type { Head } from "../../model/head/head.js";
import { blockSizes, boundBlocks, type PreviewBound, type ReducedHead } from "../../model/head/reduced-head.js";
import { factorTimesProjection, roundedHead } from "../../model/head/spread-head.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import type { Chain } from "./chain.js";
import { biasOf, headTimes } from "./head-of-expansion.js";
import type { Reductions } from "./prepare.js";
import type { Whitening } from "./whitening.js";

/** Of the usual size of a logit: what its float32 arithmetic can be off by. */
const digits = 2 ** -14;

/** A preview with its bound. @param reductions by whose rotation it was made @throws InputError if nothing was deleted */
export async function withBound(
  subject: { head: Head; engine: Engine },
  reduced: ReducedHead,
  reductions: Reductions,
): Promise<ReducedHead & { readonly bound: PreviewBound }> {
  const bound = await previewBound(subject, reduced, reductions.chain("rotation", "none"), reductions.whitening);
  return { ...reduced, bound };
}

/**
 * How far the logits of kept directions can be off (METHOD.md section 4), of the numbers as they are stored.
 * @param chain all directions of the rotation, those that are kept first
 * @throws InputError if nothing was deleted
 */
async function previewBound(
  { head, engine }: { head: Head; engine: Engine },
  reduced: ReducedHead,
  chain: Chain,
  whitening: Whitening,
): Promise<PreviewBound> {
  const { vocabSize: V, hiddenSize: d } = head;
  const k = reduced.kept;
  if (k === d) throw new InputError("greedyExact", "needs something to be deleted");
  const rounded = roundedHead({ head }, reduced);
  const still = stillDirections(whitening);
  const reader = [...rowsOf(chain.reader, d), ...still.map(({ direction, size }) => direction.map((x) => x / size))];
  const basis = [...rowsOf(chain.basis, d), ...still.map(({ direction, size }) => direction.map((x) => x * size))];
  const lacking = await missingRows({ head, engine }, rounded);
  const along = new Float32Array((d + 1) * d);
  for (const [i, row] of [...basis, chain.base].entries()) along.set(row, i * d);
  const missing = memoryTensor("lacking", "F32", [V, d], lacking);
  const products = await headTimes({ head: { ...head, weight: missing }, engine }, along, d + 1);
  const own = await biasOf(head);
  const reach = new Float32Array(V * boundBlocks);
  let [ofKept, constant] = [0, 0];
  for (let w = 0; w < V; w++) {
    const row = products.subarray(w * (d + 1), (w + 1) * (d + 1));
    ofKept = Math.max(ofKept, length(row.subarray(0, k)));
    constant = Math.max(constant, Math.abs(row[d]! + own[w]! - reduced.bias[w]!));
    let at = k;
    for (const [block, size] of blockSizes(d - k).entries()) {
      reach[w * boundBlocks + block] = length(row.subarray(at, at + size)) * (1 + digits);
      at += size;
    }
  }
  const centreOfKept = length(Float64Array.from(reader.slice(0, k), (row) => dot(row, 0, chain.base, 0, d)));
  const rest = reader.slice(k);
  return {
    reader: Float32Array.from(rest.flatMap((row) => [...row])),
    centre: Float32Array.from(rest, (row) => dot(row, 0, chain.base, 0, d)),
    reach,
    slack: Float32Array.of(ofKept, constant + ofKept * centreOfKept + digits * (await usualLogit(head, whitening))),
  };
}

/** E - F P, [V, d]. */
async function missingRows(
  { head, engine }: { head: Head; engine: Engine },
  reduced: ReducedHead,
): Promise<Float32Array> {
  const found = await factorTimesProjection(engine, reduced, head);
  const rows = await readTensor(head.weight);
  for (let i = 0; i < found.length; i++) found[i] = rows[i]! - found[i]!;
  return found;
}

/** Directions in which no context moved, orthonormal, and by how much it takes to be as far as others are usually. */
function stillDirections({ rank, inverse, mean }: Whitening): { direction: Float64Array; size: number }[] {
  const d = mean.length;
  const all: Float64Array[] = rowsOf(inverse, d).map((row) => row.map((x) => x / length(row)));
  const size = length(inverse.subarray((rank - 1) * d, rank * d));
  const still: { direction: Float64Array; size: number }[] = [];
  while (all.length < d) {
    const direction = furthestUnit(all, d);
    all.push(direction);
    still.push({ direction, size });
  }
  return still;
}

/** Of the unit vectors the one that most lies outside of what orthonormal rows span: that part, of length 1. */
function furthestUnit(rows: readonly Float64Array[], d: number): Float64Array {
  const inside = new Float64Array(d);
  for (const row of rows) for (let i = 0; i < d; i++) inside[i]! += row[i]! ** 2;
  const unit = inside.indexOf(Math.min(...inside));
  const out = new Float64Array(d);
  out[unit] = 1;
  // Twice, for its digits.
  for (let pass = 0; pass < 2; pass++) {
    for (const row of rows) {
      const share = dot(row, 0, out, 0, d);
      for (let i = 0; i < d; i++) out[i]! -= share * row[i]!;
    }
  }
  const size = length(out);
  return out.map((x) => x / size);
}

/** Of a row as long as E's longest, and a hidden state of the usual length. */
async function usualLogit(head: Head, { rank, inverse, mean }: Whitening): Promise<number> {
  const d = head.hiddenSize;
  const rows = await readTensor(head.weight);
  let longest = 0;
  for (let at = 0; at < rows.length; at += d) longest = Math.max(longest, length(rows.subarray(at, at + d)));
  return longest * Math.hypot(length(mean), length(inverse.subarray(0, rank * d)));
}

function rowsOf(matrix: Float64Array, d: number): Float64Array[] {
  return Array.from({ length: matrix.length / d }, (_, i) => matrix.subarray(i * d, (i + 1) * d));
}

function length(x: Float64Array | Float32Array): number {
  let sum = 0;
  for (const value of x) sum += value * value;
  return Math.sqrt(sum);
}
