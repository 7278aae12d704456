import { InputError } from "../../errors.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { ContextRange } from "../measure/measure-head.js";

/** Sizes that are measured in one pass over the text. */
const perPass = 5;

/**
 * The largest deletion whose loss stays within a budget, by bisection over measured losses. What is deleted grows until the
 * first size that is over: a later one that happens to be within it again is not taken (a monotone envelope).
 * @param losses measured with these many dimensions deleted, rising @returns dimensions deleted, 1 to d - 1
 * @throws InputError naming the budget if already one dimension costs more
 */
export async function largestWithin(
  d: number,
  budget: number,
  losses: (deleted: readonly number[]) => Promise<readonly number[]>,
): Promise<number> {
  const [first] = await losses([1]);
  if (!(first! <= budget)) {
    const cost = `${first!.toPrecision(3)} nats`;
    throw new InputError("maxKl", `${budget} cannot be met: deleting 1 of ${d} dimensions costs a KL of ${cost}`);
  }
  let [within, over] = [1, d];
  while (over - within > 1) {
    const sizes = sizesBetween(within, over);
    const measured = await losses(sizes);
    const failing = measured.findIndex((loss) => !(loss <= budget));
    if (failing >= 0) over = sizes[failing]!;
    within = failing === 0 ? within : sizes[(failing < 0 ? sizes.length : failing) - 1]!;
  }
  return within;
}

/** Up to a few whole numbers evenly spaced between two others. */
function sizesBetween(low: number, high: number): number[] {
  const count = Math.min(perPass, high - low - 1);
  return Array.from(
    { length: count },
    (_, i) => low + Math.max(1, Math.round(((i + 1) * (high - low)) / (count + 1))),
  ).filter((size, i, all) => size < high && size !== all[i - 1]);
}

/**
 * The text to search on and that to verify on: its windows in two halves.
 * @throws InputError if there is only one window
 */
export function searchHalves({ windowStarts, count }: StoredContexts): { search: ContextRange; verify: ContextRange } {
  const windows = windowStarts.length - 1;
  if (windows < 2) throw new InputError("maxKl", "needs two windows of unseen text: one to search on, one to verify");
  const middle = windowStarts[Math.floor(windows / 2)]!;
  return { search: { start: 0, end: middle }, verify: { start: middle, end: count } };
}
