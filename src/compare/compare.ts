import type { Corpus } from "../corpus/corpus.js";
import { tokenIds } from "../corpus/tokens/token-ids.js";
import { windows } from "../corpus/tokens/windows.js";
import { inOrder } from "../engine/in-order.js";
import { InputError } from "../errors.js";
import { divergenceSession, type HeadDivergences } from "../measures/divergence-session.js";
import { contextLengthFor, requiredBeginOfText } from "../model/contexts/context.js";
import { followingTokens, windowBatches } from "../model/contexts/window-batches.js";
import type { Model, Windows } from "../model/model.js";
import type { ComparedModel, Comparison } from "./comparison.js";
import { contextValues } from "./context-values.js";
import { sharedTokenizer } from "./same-vocabulary.js";

export interface CompareOptions {
  /** Tokens per window; each window is independent and every position of it counts once. Default 256. */
  contextLength?: number | undefined;
  /** Stop after this many tokens. Default: the whole corpus. */
  tokens?: number | undefined;
  /** Start every window with the tokenizer's begin-of-text token. */
  beginOfText?: boolean | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  separator?: number | null | undefined;
  /** Called after every few windows. */
  onProgress?: ((progress: { windows: number; contexts: number }) => void | Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs two models of one vocabulary over the same text, window by window, and measures how their outputs differ
 * (METHOD.md, measures). Of every context it keeps three float32 numbers; all else does not grow with the text.
 *
 *     const { kl, perplexity } = await compare(await loadModel("gpt2"), await loadModel("./gpt2-edited"), corpus("wiki/*.txt"));
 *
 * @throws InputError if the models' vocabularies differ, or the text or a model cannot be used
 */
export async function compare(
  modelA: Model,
  modelB: Model,
  corpus: Corpus,
  options: CompareOptions = {},
): Promise<Comparison> {
  const started = performance.now();
  const { signal, onProgress } = options;
  const tokenizer = await sharedTokenizer(modelA, modelB);
  const contextLength = contextLengthFor([modelA, modelB], options.contextLength);
  const beginOfText = options.beginOfText ? requiredBeginOfText(modelA, tokenizer) : undefined;
  const { vocabSize } = modelA;
  const ids = tokenIds(corpus, tokenizer, { vocabSize, separator: options.separator });
  const batches = windowBatches(windows(ids, { contextLength, maxTokens: options.tokens, beginOfText }));
  const sums = emptySums(vocabSize);
  const session = await divergenceSession(modelA.engine, modelA.head, modelB.head);
  try {
    // No more under way than the engine has workers: both models' layers then share the cores that were asked for.
    const compared = inOrder(batches, session.concurrency, async (part) => {
      const hiddenA = await modelA.hiddenStates(part);
      const hiddenB = await modelB.hiddenStates(part);
      return { part, divergences: await session.run(hiddenA, hiddenB, followingTokens(part)) };
    });
    for await (const { part, divergences } of compared) {
      signal?.throwIfAborted();
      requireFinite(divergences.kl, modelA, modelB, sums.windows, part.length);
      add(sums, part, divergences);
      await onProgress?.({ windows: sums.windows, contexts: sums.contexts });
    }
  } finally {
    await session.release();
  }
  const seconds = (performance.now() - started) / 1000;
  const { contexts, kl, reverseKl, js } = sums;
  return {
    models: { a: described(modelA), b: described(modelB) },
    vocabSize,
    corpus: {
      files: corpus.files,
      contextLength,
      windows: sums.windows,
      contexts,
      beginOfText: beginOfText !== undefined,
    },
    kl: kl.spread(),
    reverseKl: reverseKl.spread(),
    js: js.spread(),
    top1Agreement: sums.agreeing / contexts,
    perplexity: {
      a: Math.exp(-sums.nextLogProbabilityA / sums.predicted),
      b: Math.exp(-sums.nextLogProbabilityB / sums.predicted),
    },
    predictedTokens: sums.predicted,
    meanProbability: {
      a: sums.probabilityA.map((sum) => sum / contexts),
      b: sums.probabilityB.map((sum) => sum / contexts),
    },
    perContext: { kl: kl.values(), reverseKl: reverseKl.values(), js: js.values() },
    tokens: Array.from({ length: vocabSize }, (_, id) => tokenizer.tokenText(id)),
    tokenIds: Int32Array.from({ length: vocabSize }, (_, id) => id).filter((id) => tokenizer.produces(id)),
    threads: modelA.engine.threads,
    seconds,
    tokensPerSecond: contexts / seconds,
  };
}

function described({ name, modelType, hiddenSize, dtype }: Model): ComparedModel {
  return { name, modelType, hiddenSize, dtype };
}

function emptySums(vocabSize: number) {
  return {
    windows: 0,
    contexts: 0,
    kl: contextValues(),
    reverseKl: contextValues(),
    js: contextValues(),
    agreeing: 0,
    predicted: 0,
    nextLogProbabilityA: 0,
    nextLogProbabilityB: 0,
    probabilityA: new Float64Array(vocabSize),
    probabilityB: new Float64Array(vocabSize),
  };
}

function add(sums: ReturnType<typeof emptySums>, { count, length }: Windows, divergences: HeadDivergences): void {
  sums.windows += count;
  sums.contexts += count * length;
  sums.kl.append(divergences.kl);
  sums.reverseKl.append(divergences.reverseKl);
  sums.js.append(divergences.js);
  for (let t = 0; t < count * length; t++) {
    if (divergences.top1A[t] === divergences.top1B[t]) sums.agreeing++;
    if (t % length === length - 1) continue;
    sums.predicted++;
    sums.nextLogProbabilityA += divergences.nextLogProbabilityA[t]!;
    sums.nextLogProbabilityB += divergences.nextLogProbabilityB[t]!;
  }
  for (let w = 0; w < sums.probabilityA.length; w++) {
    sums.probabilityA[w]! += divergences.sumProbabilityA[w]!;
    sums.probabilityB[w]! += divergences.sumProbabilityB[w]!;
  }
}

function requireFinite(kl: Float64Array, a: Model, b: Model, windowsBefore: number, length: number): void {
  const bad = kl.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const window = windowsBefore + Math.floor(bad / length);
  throw new InputError(
    `${a.name} and ${b.name}`,
    `one's logits are not finite at position ${bad % length} of window ${window}; its weights overflow float32`,
  );
}
