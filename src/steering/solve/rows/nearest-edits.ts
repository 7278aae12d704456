import { productValues } from "../problem/edited-tokens.js";
import { idealShares } from "../problem/ideal.js";
import type { Problem } from "../problem/posed-problem.js";
import { guardWeight, isGuardedScale } from "./guard-contexts.js";
import { nearestRows, type RowTools } from "./nearest-rows.js";

/** Bytes of what is held for rows that are solved side by side. */
const rowBytes = 256 * 2 ** 20;
/** Of rows that are solved at a time: the engine multiplies for one while the other's exponentials are taken. */
const batches = 2;

/**
 * The edit of each row that is nearest to the ideal (METHOD.md section 3), some rows at a time.
 * @param problem on the text, and on what follows it: a guard, and contexts that are to be right as well
 * @param lambdaOf each group's lambda
 * @param counts contexts of the text and of its guard; what follows them counts like the text's
 * @param onRows told how many rows are found, of how many
 * @returns [m, d]
 */
export async function nearestEdits(
  { tokens, groupOf, lines, ideal: { before, wanted, biases } }: Problem,
  tools: RowTools,
  {
    lambdaOf,
    counts,
  }: { lambdaOf: (group: number) => number; counts: { readonly text: number; readonly guard: number } },
  onRows?: ((found: number, of: number) => void) | undefined,
): Promise<Float64Array> {
  const { text, products, hiddenSize: d } = tools;
  const N = text.count;
  const m = tokens.size;
  const shares = await idealShares(lines, biases, counts.text);
  const guardEnd = counts.text + counts.guard;
  const textWeights = new Float64Array(N).fill(1 / counts.text).fill(0, counts.text, guardEnd);
  const guardedWeights = textWeights.slice();
  if (counts.guard > 0) guardedWeights.fill(guardWeight(counts.text, counts.guard), counts.text, guardEnd);
  const edits = new Float64Array(m * d);
  const sideBySide = Math.max(1, Math.floor(rowBytes / (8 * (6 * N + d * d) * batches)));
  let next = 0;
  let found = 0;
  const work = async () => {
    while (next < m) {
      const first = next;
      const c = Math.min(sideBySide, m - first);
      next += c;
      await solve(first, c);
      found += c;
      onRows?.(found, m);
    }
  };
  onRows?.(0, m);
  await Promise.all(Array.from({ length: batches }, work));
  return edits;

  async function solve(first: number, c: number): Promise<void> {
    const raw = new Float64Array(c * N);
    const values = productValues(
      text,
      products,
      tokens.rows.subarray(first * d, (first + c) * d),
      tokens.bias.subarray(first, first + c),
    );
    await text.eachBlock(c, async (block, start, end) => {
      const part = await values.of(block, start);
      const n = end - start;
      for (let j = 0; j < c; j++) raw.set(part.subarray(j * n, (j + 1) * n), j * N + start);
    });
    const bias = Float64Array.from({ length: c }, (_, j) => biases[groupOf[first + j]!]!);
    const { q, others } = shares.of(raw, first, bias, tools.transform);
    const penalty = Float64Array.from({ length: c }, (_, j) => {
      const g = groupOf[first + j]!;
      return lambdaOf(g) * Math.max(wanted[g]! / before[g]!, 1) * shares.before[first + j]!;
    });
    const weights = Array.from({ length: c }, (_, j) => {
      const g = groupOf[first + j]!;
      return isGuardedScale(wanted[g]! / before[g]!) ? guardedWeights : textWeights;
    });
    edits.set(await nearestRows({ size: c, raw, others, q, bias, penalty, weights }, tools), first * d);
  }
}
