import type { Corpus } from "../corpus/corpus.js";
import type { Spread } from "../measures/context-values.js";
import type { TextDivergences } from "../measures/divergence-sums.js";

/** One of the two models that a comparison is about. */
export interface ComparedModel {
  name: string;
  modelType: string;
  /** Of E: those beyond `vocabSize` are padding, and left out. */
  rows: number;
  hiddenSize: number;
  /** Number type of E as stored. */
  dtype: string;
}

/** How the output of two models of one vocabulary differs over a corpus; divergences in nats. */
export interface Comparison extends Omit<TextDivergences, "contexts"> {
  models: { a: ComparedModel; b: ComparedModel };
  /** Tokens that both have: the rows of E, or the tokenizer's tokens where E is padded differently. */
  vocabSize: number;
  corpus: {
    files: Corpus["files"];
    contextLength: number;
    windows: number;
    /** N. */
    contexts: number;
    beginOfText: boolean;
  };
  /** Text of every token, [V]. */
  tokens: string[];
  /** Ids that the tokenizer can produce. */
  tokenIds: Int32Array;
  /** Processor cores asked for. */
  threads: number;
  seconds: number;
  tokensPerSecond: number;
}

/** A token whose mean probability differs much between two models. */
export interface Mover {
  id: number;
  token: string;
  /** alpha under A and under B. */
  a: number;
  b: number;
  /** alpha_B / alpha_A. */
  scale: number;
}

/** Mean probabilities below this count as this, so that scales are finite. */
const leastProbability = 1e-300;

/** Tokens whose mean probability differs by the largest factor, up or down, largest first. */
export function largestMovers(
  { meanProbability, tokens, tokenIds }: Pick<Comparison, "meanProbability" | "tokens" | "tokenIds">,
  count = 20,
): Mover[] {
  const scale = (id: number) =>
    Math.max(leastProbability, meanProbability.b[id]!) / Math.max(leastProbability, meanProbability.a[id]!);
  return Array.from(tokenIds, (id) => ({ id, moved: Math.abs(Math.log(scale(id))) }))
    .sort((x, y) => y.moved - x.moved || x.id - y.id)
    .slice(0, count)
    .map(({ id }) => ({
      id,
      token: tokens[id]!,
      a: meanProbability.a[id]!,
      b: meanProbability.b[id]!,
      scale: scale(id),
    }));
}

/** The numbers of a comparison that fit on a page: what `--json` prints and `run.json` holds under `results`. */
export interface ComparisonSummary {
  contexts: number;
  kl: Spread;
  reverseKl: Spread;
  js: Spread;
  top1Agreement: number;
  perplexity: { a: number; b: number };
  predictedTokens: number;
  movers: Mover[];
}

/**
 * A comparison in numbers that fit on a page: `results` of run.json and `--json` (docs/run-schema.md).
 * @param movers how many tokens to list
 */
export function summarizeComparison(comparison: Comparison, movers = 20): ComparisonSummary {
  const { corpus, kl, reverseKl, js, top1Agreement, perplexity, predictedTokens } = comparison;
  return {
    contexts: corpus.contexts,
    kl,
    reverseKl,
    js,
    top1Agreement,
    perplexity,
    predictedTokens,
    movers: largestMovers(comparison, movers),
  };
}
