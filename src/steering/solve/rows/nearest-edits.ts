import type { ContextRows } from "../../../model/contexts/stored-contexts.js";
import { productValues } from "../problem/edited-tokens.js";
import { idealShares } from "../problem/ideal.js";
import type { Problem } from "../problem/posed-problem.js";
import { guardWeight, isGuardedScale } from "./guard-contexts.js";
import { nearestRows, type RowTools } from "./nearest-rows.js";

/** Bytes of what is held for rows that are solved side by side. */
const rowBytes = 256 * 2 ** 20;
/** Of rows that are solved at a time: the engine multiplies for one while the other's exponentials are taken. */
const batches = 2;

/** Contexts beside a text's, and how much each counts for each group, in contexts of the text: undefined is not at all. */
export interface WeighedContexts {
  readonly contexts: ContextRows;
  readonly weights: readonly (Float64Array | undefined)[];
}

/** Rows that were found for a token [d], by its place among the edited ones and lambda, without contexts weighed beside. */
export type FoundRows = Map<string, Float64Array>;

export interface NearestOptions {
  readonly lambdaOf: (group: number) => number;
  /** Contexts of the text and of its guard; what follows them counts as `weights` says. */
  readonly counts: { readonly text: number; readonly guard: number };
  readonly weights?: WeighedContexts["weights"] | undefined;
  readonly found?: FoundRows | undefined;
}

/**
 * The edit of each row that is nearest to the ideal (METHOD.md section 3), some rows at a time.
 * @param problem on the text, and on what follows it: a guard, and contexts that are to be right as well
 * @param onRows told how many rows are found, of how many
 * @returns [m, d]
 */
export async function nearestEdits(
  { tokens, groupOf, lines, ideal: { before, wanted, biases } }: Problem,
  tools: RowTools,
  { lambdaOf, counts, weights: beside = [], found = new Map() }: NearestOptions,
  onRows?: ((found: number, of: number) => void) | undefined,
): Promise<Float64Array> {
  const { text, products, hiddenSize: d } = tools;
  const N = text.count;
  const m = tokens.size;
  const shares = await idealShares(lines, biases, counts.text);
  const weightsOf = groupWeights(N, counts, beside);
  const edits = new Float64Array(m * d);
  const keyOf = (j: number) => (beside[groupOf[j]!] ? undefined : `${j} ${lambdaOf(groupOf[j]!)}`);
  const open: number[] = [];
  for (let j = 0; j < m; j++) {
    const known = found.get(keyOf(j) ?? "");
    if (known) edits.set(known, j * d);
    else open.push(j);
  }
  const sideBySide = Math.max(1, Math.floor(rowBytes / (8 * (6 * N + d * d) * batches)));
  const parts = runs(open, sideBySide);
  let done = m - open.length;
  const work = async () => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const [first, c] = part;
      await solve(first, c);
      for (let j = first; j < first + c; j++) {
        const key = keyOf(j);
        if (key !== undefined) found.set(key, edits.slice(j * d, (j + 1) * d));
      }
      done += c;
      onRows?.(done, m);
    }
  };
  onRows?.(done, m);
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
      return weightsOf(g, isGuardedScale(wanted[g]! / before[g]!));
    });
    edits.set(await nearestRows({ size: c, raw, others, q, bias, penalty, weights }, tools), first * d);
  }
}

/** How much each context counts for a group, [N]: those of the text alike, those of a guard where there is one for it. */
function groupWeights(N: number, counts: NearestOptions["counts"], beside: WeighedContexts["weights"]) {
  const guardEnd = counts.text + counts.guard;
  const plain = new Float64Array(N).fill(1 / counts.text, 0, counts.text);
  const guarded = plain.slice();
  if (counts.guard > 0) guarded.fill(guardWeight(counts.text, counts.guard), counts.text, guardEnd);
  return (group: number, isGuarded: boolean): Float64Array => {
    const base = isGuarded ? guarded : plain;
    const own = beside[group];
    if (own === undefined) return base;
    const weights = base.slice();
    for (const [i, weight] of own.entries()) weights[guardEnd + i] = weight / counts.text;
    return weights;
  };
}

/** Neighbours among ascending numbers, at most so many together: each run's first number and length. */
function runs(numbers: readonly number[], most: number): [first: number, length: number][] {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[0] + last[1] === number && last[1] < most) last[1]++;
    else found.push([number, 1]);
  }
  return found;
}
