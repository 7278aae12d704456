import { contextValues, type Spread } from "./context-values.js";
import type { HeadDivergences } from "./divergence-session.js";

/** How two heads A and B differ over all contexts of a text; divergences in nats. */
export interface TextDivergences {
  /** N. */
  readonly contexts: number;
  /** KL(A || B), KL(B || A) and Jensen-Shannon. */
  readonly kl: Spread;
  readonly reverseKl: Spread;
  readonly js: Spread;
  /** Share of the contexts in which both have the same likeliest token. */
  readonly top1Agreement: number;
  /** On all tokens but the first of each window; NaN where there are none. */
  readonly perplexity: { readonly a: number; readonly b: number };
  /** Tokens that the perplexities are of. */
  readonly predictedTokens: number;
  /** alpha under A and under B, [V]. */
  readonly meanProbability: { readonly a: Float64Array; readonly b: Float64Array };
  /** The divergences of every context in the order they came in, [N]. */
  readonly perContext: { readonly kl: Float32Array; readonly reverseKl: Float32Array; readonly js: Float32Array };
}

/** Takes what a divergence session finds, block after block; of every context it keeps three float32 numbers. */
export interface DivergenceSums {
  /** Taken so far. */
  readonly contexts: number;
  /** @param isPredicting whether the token after the block's context t lies in the same window */
  add(found: HeadDivergences, isPredicting: (t: number) => boolean): void;
  /** @throws RangeError if nothing was added */
  result(): TextDivergences;
}

/** The sums of the measures by which two heads of V tokens are compared (METHOD.md, measures). */
export function divergenceSums(vocabSize: number): DivergenceSums {
  const [kl, reverseKl, js] = [contextValues(), contextValues(), contextValues()];
  const probabilityA = new Float64Array(vocabSize);
  const probabilityB = new Float64Array(vocabSize);
  let contexts = 0;
  let agreeing = 0;
  let predictedTokens = 0;
  let logProbabilityA = 0;
  let logProbabilityB = 0;
  return {
    get contexts() {
      return contexts;
    },
    add(found, isPredicting) {
      kl.append(found.kl);
      reverseKl.append(found.reverseKl);
      js.append(found.js);
      const n = found.kl.length;
      contexts += n;
      for (let t = 0; t < n; t++) {
        if (found.top1A[t] === found.top1B[t]) agreeing++;
        if (!isPredicting(t)) continue;
        predictedTokens++;
        logProbabilityA += found.nextLogProbabilityA[t]!;
        logProbabilityB += found.nextLogProbabilityB[t]!;
      }
      for (let w = 0; w < vocabSize; w++) {
        probabilityA[w]! += found.sumProbabilityA[w]!;
        probabilityB[w]! += found.sumProbabilityB[w]!;
      }
    },
    result: () => ({
      contexts,
      kl: kl.spread(),
      reverseKl: reverseKl.spread(),
      js: js.spread(),
      top1Agreement: agreeing / contexts,
      perplexity: { a: Math.exp(-logProbabilityA / predictedTokens), b: Math.exp(-logProbabilityB / predictedTokens) },
      predictedTokens,
      meanProbability: {
        a: probabilityA.map((sum) => sum / contexts),
        b: probabilityB.map((sum) => sum / contexts),
      },
      perContext: { kl: kl.values(), reverseKl: reverseKl.values(), js: js.values() },
    }),
  };
}

/** Position in the block of the first context where a head's logits are not finite; -1 if there is none. */
export function firstNonFinite({ kl }: HeadDivergences): number {
  return kl.findIndex((value) => !Number.isFinite(value));
}
