import { type HeadTransform, transform } from "../../../model/head/head-transform.js";
import type { Lines } from "./joint-scales.js";

/** What every single token needs to know of the joint ideal. */
export interface IdealShares {
  /** Mean probability of each token before the edit, [m]. */
  readonly before: Float64Array;
  /**
   * Probability of some tokens under the ideal [c, N], and ln sum exp of all other tokens' logits under it [c, N].
   * @param raw their logits before the transform, [c, N]  @param first which token they begin with  @param bias [c]
   */
  of(
    raw: Float64Array,
    first: number,
    bias: Float64Array,
    headTransform: HeadTransform,
  ): { q: Float64Array; others: Float64Array };
}

/** Above this share, 1 - q has lost too many of its digits: what the others have is then kept by itself. */
const mostOfAll = 0.9;

/**
 * @param biases logit bias of each group, [G]
 * @param textCount contexts that the mean is taken over, from the first: what a guard adds to a text is left out
 */
export async function idealShares(lines: Lines, biases: Float64Array, textCount: number): Promise<IdealShares> {
  const { text, groupOf, rest, raw } = lines;
  const m = groupOf.length;
  const N = text.count;
  const before = new Float64Array(m);
  const normalizer = new Float64Array(N);
  const dominant = new Int32Array(N).fill(-1);
  const othersOfDominant = new Float64Array(N);
  await text.eachBlock(m, async (block, start, end) => {
    const values = await raw.of(block, start);
    const n = end - start;
    for (let t = 0; t < n; t++) {
      const base = rest[start + t]!;
      let largest = base;
      let likeliest = -1;
      let highest = base;
      for (let j = 0; j < m; j++) {
        const z = transform(lines.transform, values[j * n + t]!).value;
        const biased = z + biases[groupOf[j]!]!;
        if (z > highest) highest = z;
        if (biased > largest) [largest, likeliest] = [biased, j];
      }
      let others = Math.exp(base - largest);
      let total = Math.exp(base - highest);
      for (let j = 0; j < m; j++) {
        const z = transform(lines.transform, values[j * n + t]!).value;
        if (j !== likeliest) others += Math.exp(z + biases[groupOf[j]!]! - largest);
        total += Math.exp(z - highest);
      }
      for (let j = 0; j < m && start + t < textCount; j++) {
        before[j]! += Math.exp(transform(lines.transform, values[j * n + t]!).value - highest) / (total * textCount);
      }
      const own = likeliest < 0 ? 0 : 1;
      normalizer[start + t] = largest + Math.log(others + own);
      if (own / (others + own) > mostOfAll) {
        dominant[start + t] = likeliest;
        othersOfDominant[start + t] = largest + Math.log(others);
      }
    }
  });
  return {
    before,
    of(some, first, bias, headTransform) {
      const q = new Float64Array(some.length);
      const others = new Float64Array(some.length);
      for (let j = 0; j < bias.length; j++) {
        for (let t = 0; t < N; t++) {
          const at = j * N + t;
          const z = transform(headTransform, some[at]!).value + bias[j]!;
          const share = Math.exp(z - normalizer[t]!);
          others[at] = dominant[t] === first + j ? othersOfDominant[t]! : normalizer[t]! + Math.log1p(-share);
          q[at] = 1 / (1 + Math.exp(others[at]! - z));
        }
      }
      return { q, others };
    },
  };
}
