import type { Frequencies, LearntToken, Probe } from "../dynamics.js";

/** Tokens listed on each side. */
const listed = 12;
/** Of all tokens, those whose fitted frequency changed most; among fewer, early and late would be the same ones. */
const changedShare = 0.1;

/**
 * Tokens whose fitted frequency the training changed most, by when half of the change was there for good: the earliest and
 * the latest of them.
 */
export function learntTokens(
  probes: readonly Probe[],
  { tokenIds, observed }: Frequencies,
  tokens: readonly string[] | undefined,
): { early: LearntToken[]; late: LearntToken[] } {
  const [first, last] = [probes[0]!.fitted, probes.at(-1)!.fitted];
  const change = last.map((value, index) => Math.abs(value - first[index]!));
  const kept = Math.max(2 * listed, Math.ceil(changedShare * change.length));
  const changed = Array.from(change.keys())
    .filter((index) => change[index]! > 0)
    .sort((a, b) => change[b]! - change[a]! || a - b)
    .slice(0, kept)
    .map((index): LearntToken => {
      const id = tokenIds[index]!;
      return {
        id,
        token: tokens?.[id] ?? "",
        frequency: Math.exp(-observed[index]!),
        fittedFirst: Math.exp(-first[index]!),
        fittedLast: Math.exp(-last[index]!),
        halfStep: halfStep(probes, index),
      };
    })
    .sort((a, b) => a.halfStep - b.halfStep || a.id - b.id);
  const half = Math.floor(changed.length / 2);
  return {
    early: changed.slice(0, Math.min(listed, half)),
    late: changed.slice(-Math.min(listed, half) || changed.length).reverse(),
  };
}

/** Where the share of the change passes one half for the last time, on the scale log(1 + step). */
function halfStep(probes: readonly Probe[], index: number): number {
  const first = probes[0]!.fitted[index]!;
  const whole = probes.at(-1)!.fitted[index]! - first;
  const share = (k: number) => (probes[k]!.fitted[index]! - first) / whole;
  let k = probes.length - 1;
  while (k > 0 && share(k - 1) >= 0.5) k--;
  if (k === 0) return probes[0]!.step;
  const part = (0.5 - share(k - 1)) / (share(k) - share(k - 1));
  const [from, to] = [Math.log1p(probes[k - 1]!.step), Math.log1p(probes[k]!.step)];
  return Math.expm1(from + part * (to - from));
}
