import type { Corpus } from "../corpus/corpus.js";
import { tokenIds } from "../corpus/tokens/token-ids.js";
import { windows } from "../corpus/tokens/windows.js";
import { inOrder } from "../engine/in-order.js";
import { InputError } from "../errors.js";
import { type DivergenceSession, divergenceSession, type HeadDivergences } from "../measures/divergence-session.js";
import { divergenceSums, firstNonFinite } from "../measures/divergence-sums.js";
import { type BeginOfText, beginOfWindows } from "../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../model/contexts/context.js";
import type { Model } from "../model/model.js";
import { followingTokens } from "../model/pass/window-batches.js";
import type { ComparedModel, Comparison } from "./comparison.js";
import { pairedPasses } from "./paired-passes.js";
import { sharedVocabulary } from "./shared-vocabulary.js";

/** How much of the text is read, and how it is cut. */
export interface CompareOptions {
  /** Tokens per window; each window is independent and every position of it is a context. Default 256. */
  contextLength?: number | undefined;
  /** Stop after this many tokens. Default: the whole corpus. */
  tokens?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  beginOfText?: BeginOfText | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  separator?: number | null | undefined;
  /** Called after every few windows. */
  onProgress?: ((progress: { windows: number; contexts: number }) => void | Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs two models of one vocabulary over the same text, window by window, and measures how their outputs differ
 * (METHOD.md, measures); where one matrix is padded to more rows than the other, on the tokens that the tokenizer has. Of every context it keeps three float32 numbers; all else does not grow with the text.
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
  const { tokenizer, vocabSize, heads, ownIds } = await sharedVocabulary(modelA, modelB);
  const contextLength = contextLengthFor([modelA, modelB], options.contextLength, corpus);
  const begin = await beginOfWindows(modelA, tokenizer, corpus, options.beginOfText);
  const ids = tokenIds(begin.corpus, tokenizer, { vocabSize, separator: options.separator });
  const stream = windows(ids, { contextLength, maxTokens: options.tokens, beginOfText: begin.ids });
  const sums = divergenceSums(vocabSize);
  let windowCount = 0;
  const passes = await pairedPasses(
    { model: modelA, ownIds: ownIds?.a },
    { model: modelB, ownIds: ownIds?.b },
    stream,
    signal,
  );
  let session: DivergenceSession | undefined;
  try {
    // Behind layers that take turns, which have left the memory by now.
    const loaded = await divergenceSession(modelA.engine, heads.a, heads.b);
    session = loaded;
    // No more under way than the engine has workers: both models' layers then share the cores that were asked for.
    const compared = inOrder(passes.batches, loaded.concurrency, async (part) => {
      const [hiddenA, hiddenB] = await passes.hiddenOf(part);
      return { part, divergences: await loaded.run(hiddenA, hiddenB, followingTokens(part)) };
    });
    for await (const { part, divergences } of compared) {
      signal?.throwIfAborted();
      requireFinite(divergences, modelA, modelB, windowCount, part.length);
      sums.add(divergences, (t) => t % part.length < part.length - 1);
      windowCount += part.count;
      await onProgress?.({ windows: windowCount, contexts: sums.contexts });
    }
  } finally {
    await Promise.all([session?.release(), passes.release()]);
  }
  const seconds = (performance.now() - started) / 1000;
  const { contexts, ...measured } = sums.result();
  return {
    models: { a: described(modelA), b: described(modelB) },
    vocabSize,
    corpus: {
      files: corpus.files,
      contextLength,
      windows: windowCount,
      contexts,
      beginOfText: begin.ids.length > 0,
    },
    ...measured,
    tokens: Array.from({ length: vocabSize }, (_, id) => tokenizer?.tokenText(id) ?? `#${id}`),
    tokenIds: Int32Array.from({ length: vocabSize }, (_, id) => id).filter((id) => tokenizer?.produces(id) ?? true),
    threads: modelA.engine.threads,
    seconds,
    tokensPerSecond: contexts / seconds,
  };
}

function described({ name, modelType, vocabSize, hiddenSize, dtype }: Model): ComparedModel {
  return { name, modelType, rows: vocabSize, hiddenSize, dtype };
}

function requireFinite(found: HeadDivergences, a: Model, b: Model, windowsBefore: number, length: number): void {
  const bad = firstNonFinite(found);
  if (bad < 0) return;
  const window = windowsBefore + Math.floor(bad / length);
  throw new InputError(
    `${a.name} and ${b.name}`,
    `one's logits are not finite at position ${bad % length} of window ${window}; its weights overflow float32`,
  );
}
