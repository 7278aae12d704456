import { type Engine, float64Output, type Tensors } from "../engine/engine.js";
import type { Head } from "../model/head/head.js";
import { atLeastZero } from "./divergence.js";
import { divergenceGraph } from "./divergence-graph.js";

/** Contexts of one run, and numbers in one V-wide block (32 MB as float64): whatever V is, few such blocks are held. */
const maxContexts = 128;
const maxBlockNumbers = 2 ** 22;

/** How two heads differ in n contexts; divergences in nats. */
export interface HeadDivergences {
  /** KL(A || B), [n]. */
  kl: Float64Array;
  /** KL(B || A), [n]. */
  reverseKl: Float64Array;
  /** Jensen-Shannon, [n]. */
  js: Float64Array;
  /** Id of the likeliest token under A and under B, [n]. */
  top1A: Int32Array;
  top1B: Int32Array;
  /** ln p of the given next token under A and under B, [n]. */
  nextLogProbabilityA: Float64Array;
  nextLogProbabilityB: Float64Array;
  /** Every token's probability under A and under B, summed over the contexts, [V]. */
  sumProbabilityA: Float64Array;
  sumProbabilityB: Float64Array;
  /** The same divergences without the tokens left out, renormalised; NaN where those have all the probability. */
  others: { kl: Float64Array; reverseKl: Float64Array; js: Float64Array } | undefined;
  /** Probabilities of the m tokens asked for, [n, m]. */
  probabilityA: Float64Array;
  probabilityB: Float64Array;
}

export interface DivergenceSession {
  /** How many runs are worth having under way at once. */
  readonly concurrency: number;
  /**
   * @param hiddenA, hiddenB what each head multiplies, [n, dA] and [n, dB]
   * @param nextTokens the token whose probability is wanted in each context, [n]
   */
  run(hiddenA: Float32Array, hiddenB: Float32Array, nextTokens: Int32Array): Promise<HeadDivergences>;
  release(): Promise<void>;
}

/**
 * Compares two heads of one vocabulary, a block of contexts at a time; no V-wide row leaves the engine.
 * @param leftOut ids of tokens without which to compare, too
 * @param probabilitiesOf ids of tokens whose probability in each context is wanted
 * @throws RangeError if the heads' vocabularies differ in size
 */
export async function divergenceSession(
  engine: Engine,
  headA: Head,
  headB: Head,
  leftOut?: readonly number[],
  probabilitiesOf: readonly number[] = [],
): Promise<DivergenceSession> {
  const { vocabSize } = headA;
  if (headB.vocabSize !== vocabSize) {
    throw new RangeError(`heads of ${vocabSize} and ${headB.vocabSize} tokens cannot be compared`);
  }
  const keep = leftOut && new Float64Array(vocabSize).fill(1);
  for (const id of leftOut ?? []) keep![id] = 0;
  const session = await engine.load(divergenceGraph(headA, headB, { leaveOut: keep !== undefined, probabilitiesOf }));
  const blockContexts = Math.max(1, Math.min(maxContexts, Math.floor(maxBlockNumbers / vocabSize)));
  return {
    concurrency: session.concurrency,
    release: () => session.release(),
    async run(hiddenA, hiddenB, nextTokens) {
      const n = nextTokens.length;
      const result = emptyDivergences(n, vocabSize, keep !== undefined, probabilitiesOf.length);
      for (let start = 0; start < n; start += blockContexts) {
        const end = Math.min(n, start + blockContexts);
        const states = (hidden: Float32Array, { hiddenSize }: Head) => ({
          type: "float32" as const,
          data: hidden.subarray(start * hiddenSize, end * hiddenSize),
          dims: [end - start, hiddenSize],
        });
        const next = BigInt64Array.from(nextTokens.subarray(start, end), BigInt);
        const outputs = await session.run({
          hidden_a: states(hiddenA, headA),
          hidden_b: states(hiddenB, headB),
          next_token: { type: "int64", data: next, dims: [end - start] },
          ...(keep && { keep: { type: "float64", data: keep, dims: [vocabSize] } }),
        });
        put(result, start, outputs, probabilitiesOf.length);
      }
      return result;
    },
  };
}

/** Room for what is found in n contexts. @param chosen m */
export function emptyDivergences(n: number, vocabSize: number, withOthers: boolean, chosen: number): HeadDivergences {
  const divergences = () => ({ kl: new Float64Array(n), reverseKl: new Float64Array(n), js: new Float64Array(n) });
  return {
    ...divergences(),
    top1A: new Int32Array(n),
    top1B: new Int32Array(n),
    nextLogProbabilityA: new Float64Array(n),
    nextLogProbabilityB: new Float64Array(n),
    sumProbabilityA: new Float64Array(vocabSize),
    sumProbabilityB: new Float64Array(vocabSize),
    others: withOthers ? divergences() : undefined,
    probabilityA: new Float64Array(n * chosen),
    probabilityB: new Float64Array(n * chosen),
  };
}

/** Puts the outputs of one block (see divergenceGraph) where its contexts start. */
function put(result: HeadDivergences, start: number, outputs: Tensors, chosen: number): void {
  const divergence = (name: string) => float64Output(outputs, name).map(atLeastZero);
  result.kl.set(divergence("kl"), start);
  result.reverseKl.set(divergence("reverse_kl"), start);
  result.js.set(divergence("js"), start);
  result.others?.kl.set(divergence("kl_others"), start);
  result.others?.reverseKl.set(divergence("reverse_kl_others"), start);
  result.others?.js.set(divergence("js_others"), start);
  result.nextLogProbabilityA.set(float64Output(outputs, "next_log_probability_a"), start);
  result.nextLogProbabilityB.set(float64Output(outputs, "next_log_probability_b"), start);
  result.top1A.set(float64Output(outputs, "top_1_a"), start);
  result.top1B.set(float64Output(outputs, "top_1_b"), start);
  if (chosen > 0) {
    result.probabilityA.set(float64Output(outputs, "probability_a"), start * chosen);
    result.probabilityB.set(float64Output(outputs, "probability_b"), start * chosen);
  }
  addTo(result.sumProbabilityA, float64Output(outputs, "sum_probability_a"));
  addTo(result.sumProbabilityB, float64Output(outputs, "sum_probability_b"));
}

function addTo(sums: Float64Array, values: Float64Array): void {
  for (let w = 0; w < sums.length; w++) sums[w]! += values[w]!;
}
