import { seededRandom } from "../../linalg/random.js";
import type { TokenNames } from "../../model/head/token-names.js";
import type { Model } from "../../model/model.js";

const texts = 8;
const textTokens = 16;
const seed = 0;

/** Mean probabilities of some tokens in texts of random tokens: how likely each of them is where nothing asks for it. */
export async function meansInRandomTexts(
  model: Model,
  { vocabSize, produces }: TokenNames,
  ids: readonly number[],
): Promise<number[]> {
  const random = seededRandom(seed);
  const all = Array.from({ length: Math.min(vocabSize, model.vocabSize) }, (_, id) => id).filter(produces);
  const length = Math.min(textTokens, model.maxPositions ?? textTokens);
  const sums = new Float64Array(ids.length);
  const windows = Array.from({ length: texts }, () =>
    Array.from({ length }, () => all[Math.floor(random() * all.length)]!),
  );
  const { logits } = await model.forward(windows, { logits: true });
  for (let t = 0; t < texts * length; t++) {
    const z = logits!.subarray(t * model.vocabSize, (t + 1) * model.vocabSize);
    const largest = z.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const total = z.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    for (const [j, id] of ids.entries()) sums[j]! += Math.exp(z[id]! - largest) / total;
  }
  return Array.from(sums, (sum) => sum / (texts * length));
}
