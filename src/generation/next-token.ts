import type { BeginOfText } from "../model/contexts/begin-of-text.js";
import { optionalTokenizer } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import { checkOpening, requireFiniteLogits } from "./continuations.js";
import { type Prompt, promptIds } from "./generate.js";
import { checkSampling, likeliestFirst, type Sampling, samplingProbabilities, softmax } from "./sampling.js";

/** A prompt, and how tokens would be drawn after it. */
export interface NextTokenOptions extends Sampling {
  prompt: Prompt;
  /** Begin the prompt with the begin-of-text token; an empty one always does. */
  beginOfText?: BeginOfText | undefined;
  /** How many of the likeliest tokens to list. Default 20. */
  listed?: number | undefined;
}

/** What could come next after a prompt. */
export interface NextTokenDistribution {
  /** The model's own, float64 [V]. */
  readonly probabilities: Float64Array;
  /** What `generate` draws from with this temperature, top-k and top-p, float64 [V]. */
  readonly drawn: Float64Array;
  /** Of the model's own distribution, nats. */
  readonly entropy: number;
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** The likeliest, by falling probability. */
  readonly likeliest: readonly NextToken[];
}

/** A token that could come next, with its probability before and after temperature, top-k and top-p. */
export interface NextToken {
  readonly id: number;
  /** "" for models without a tokenizer. */
  readonly token: string;
  readonly probability: number;
  readonly drawn: number;
}

export const defaultListed = 20;

/**
 * The distribution of the token after a prompt.
 *
 *     const { likeliest } = await nextTokenDistribution(model, { prompt: "It was" });
 *
 * @throws InputError if the prompt cannot be used, an option makes no sense or the logits are not finite
 */
export async function nextTokenDistribution(model: Model, options: NextTokenOptions): Promise<NextTokenDistribution> {
  checkSampling(options);
  const tokenizer = await optionalTokenizer(model);
  const [ids] = promptIds(model, tokenizer, [options.prompt], options.beginOfText ?? "auto") as [readonly number[]];
  checkOpening(model, ids);
  const { hidden } = await model.forward(ids);
  const z = await model.logits(hidden.slice(-model.hiddenSize));
  requireFiniteLogits(model.name, z, "the prompt");
  const probabilities = softmax(z);
  const drawn = samplingProbabilities(z, options);
  const likeliest = Array.from(likeliestFirst(probabilities).subarray(0, options.listed ?? defaultListed), (id) => ({
    id,
    token: tokenizer?.tokenText(id) ?? "",
    probability: probabilities[id]!,
    drawn: drawn[id]!,
  }));
  const entropy = probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
  return { probabilities, drawn, entropy, promptTokens: ids.length, likeliest };
}
