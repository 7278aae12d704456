import { transform } from "../../../model/head/head-transform.js";
import { productValues } from "../problem/edited-tokens.js";
import type { Problem } from "../problem/posed-problem.js";
import { divergence, groupSums, toShares } from "../problem/shares.js";

/** What rows do on a text, by group, [G]. */
export interface Outcome {
  /** Mean probability. */
  readonly after: Float64Array;
  /** Mean over contexts of KL(ideal || edited) and KL(original || ideal), nats. */
  readonly klToIdeal: Float64Array;
  readonly klOfIdeal: Float64Array;
}

/**
 * What the rows as rounded do on the text: each group's mean probability, and its divergences from and to the ideal.
 * @param rows [m, d]  @param bias b_w of each [m], where those change too
 */
export async function judgeRows(
  { tokens, groupOf, lines, ideal: { biases } }: Problem,
  rows: Float64Array,
  bias = tokens.bias,
): Promise<Outcome> {
  const { text, products, groups } = lines;
  const [after, klToIdeal, klOfIdeal] = [0, 1, 2].map(() => new Float64Array(groups)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const edited = productValues(text, products, rows, bias);
  await text.eachBlock(tokens.size, async (block, start, end) => {
    const n = end - start;
    const rest = tokens.rest.subarray(start, end);
    const before = await tokens.raw.of(block, start);
    const sharesOf = (values: Float64Array, biased: boolean) => {
      const z = values.map((value, i) => {
        const shifted = transform(lines.transform, value).value;
        return biased ? shifted + biases[groupOf[Math.floor(i / n)]!]! : shifted;
      });
      return groupSums(toShares(z, rest), groupOf, groups);
    };
    const original = sharesOf(before, false);
    const ideal = sharesOf(before, true);
    const actual = sharesOf(await edited.of(block, start), false);
    for (let g = 0; g < groups; g++) {
      for (let i = g * n; i < (g + 1) * n; i++) {
        after[g]! += actual[i]! / text.count;
        klToIdeal[g]! += divergence(ideal[i]!, actual[i]!) / text.count;
        klOfIdeal[g]! += divergence(original[i]!, ideal[i]!) / text.count;
      }
    }
  });
  return { after, klToIdeal, klOfIdeal };
}
