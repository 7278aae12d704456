import { isBan, tolerance } from "./plan/targets.js";
import type { ProbedEdit } from "./probes/probe-edits.js";
import type { SolvedGroup } from "./solve/solution.js";
import type { MeasuredWord } from "./words/measure-words.js";

/** Whether a target was met on the fitting text: a ban by leaving no more than it is to leave. */
export function isMet({ target, probability: { wanted, after } }: SolvedGroup): boolean {
  return isBan(target) ? after <= wanted * (1 + tolerance) : Math.abs(Math.log(after / wanted)) <= tolerance;
}

/** What run.json and `--json` say of an edit beside its means: what found it, what it promises, what it does in the worst case. */
export function howItHolds(
  group: SolvedGroup,
  { contexts, largest, opposite, unsafe, worst }: ProbedEdit,
  word?: MeasuredWord | undefined,
) {
  const { method, lambda, bound, uses } = group;
  return {
    method,
    lambda: lambda ?? null,
    met: isMet(group),
    bound: bound ?? null,
    probes: { contexts, largest, opposite, unsafe: unsafe.length, worst },
    ...(word ? { word: { ...word, uses: uses ?? null } } : {}),
  };
}
