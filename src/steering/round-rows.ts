import type { Head } from "../model/head.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { decodeFloat64, encodeFloats, isFloatDType } from "../tensor/dtype.js";
import { type EditedLogits, transform } from "./edited-logits.js";
import { alongContexts, eachBlock } from "./nearest-row.js";
import { sharesOf } from "./shares.js";

/** Significant bits behind the first, and the exponent of the smallest step. */
const numbers: Partial<Record<string, { bits: number; smallest: number }>> = {
  F16: { bits: 10, smallest: -24 },
  BF16: { bits: 7, smallest: -133 },
  F32: { bits: 23, smallest: -149 },
};
/** Of ln(actual / wanted): a tenth of what is promised. */
const enough = 1e-6;
const maxRounds = 6;

/**
 * New rows in E's number type. Rounding alone would move the mean probability, so last digits of single components are
 * then moved by one where that brings it back: by the gradient of ln alpha, the largest effects first.
 */
export async function roundRows({
  head,
  contexts,
  logits: { rows: original, raw, rest },
  groupOf,
  wanted,
  edits,
  correct,
}: {
  head: Head;
  contexts: StoredContexts;
  logits: EditedLogits;
  groupOf: readonly number[];
  wanted: readonly number[];
  edits: readonly Float64Array[];
  correct: boolean;
}) {
  const d = head.hiddenSize;
  const { count } = contexts;
  const { dtype } = head.weight;
  const round = (row: Float64Array) => (isFloatDType(dtype) ? decodeFloat64(dtype, encodeFloats(dtype, row)) : row);
  const rows = edits.map((x, j) => round(x.map((value, i) => original[j * d + i]! + value)));
  const changeOf = (j: number) => rows[j]!.map((value, i) => value - original[j * d + i]!);
  const alongs = await Promise.all(rows.map((_, j) => alongContexts(contexts, changeOf(j))));
  const format = numbers[dtype];
  for (let attempt = 0; correct && format && attempt < maxRounds; attempt++) {
    const shares = sharesOf(
      rest,
      rows.length,
      (j, t) => transform(head.transform, raw[j * count + t]! + alongs[j]![t]!).value,
    );
    let moved = false;
    for (const [g, target] of wanted.entries()) {
      const members = groupOf.flatMap((of, j) => (of === g ? [j] : []));
      const mean = members.reduce((sum, j) => sum + shares.mean[j]!, 0);
      let error = Math.log(mean / target);
      // What calibration could not reach, last digits cannot either.
      if (Math.abs(error) <= enough || Math.abs(error) > 0.05) continue;
      const j = members.reduce((best, k) => (shares.mean[k]! > shares.mean[best]! ? k : best));
      const gradient = new Float64Array(d);
      await eachBlock(contexts, (block, start, end) => {
        for (let t = start; t < end; t++) {
          const group = members.reduce((sum, k) => sum + shares.p[k * count + t]!, 0);
          const { slope } = transform(head.transform, raw[j * count + t]! + alongs[j]![t]!);
          const weight = (shares.p[j * count + t]! * (1 - group) * slope) / (count * mean);
          for (let i = 0; i < d; i++) gradient[i]! += weight * block[(t - start) * d + i]!;
        }
      });
      const row = rows[j]!;
      const steps = row.map(
        (value) => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), format.smallest + format.bits) - format.bits),
      );
      const effect = gradient.map((value, i) => value * steps[i]!);
      for (const i of Array.from(effect.keys()).sort((a, b) => Math.abs(effect[b]!) - Math.abs(effect[a]!))) {
        if (Math.abs(error) <= Math.abs(effect[i]!) / 2) continue;
        const sign = -Math.sign(error * effect[i]!);
        row[i]! += sign * steps[i]!;
        error += sign * effect[i]!;
      }
      rows[j] = round(row);
      alongs[j] = await alongContexts(contexts, changeOf(j));
      moved = true;
    }
    if (!moved) break;
  }
  return { rows, alongs, changes: rows.map((_, j) => changeOf(j)) };
}
