import type { Corpus } from "../corpus/corpus.js";
import type { HiddenStates } from "../corpus/hidden-states.js";
import type { Tokenizer } from "../corpus/tokenizer/tokenizer.js";
import { tokenIds } from "../corpus/tokens/token-ids.js";
import { windows } from "../corpus/tokens/windows.js";
import { gramSession } from "../engine/gram-session.js";
import { InputError } from "../errors.js";
import { contextLengthFor, requiredBeginOfText } from "../model/contexts/context.js";
import type { HeadModel } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import { collectFromHidden, collectStatistics } from "../statistics/collect.js";
import type { HeadStatistics } from "../statistics/head-statistics.js";
import { matrix } from "../tensor/matrix.js";
import { readTensor } from "../tensor/safetensors/safetensors.js";
import type { Analysis } from "./analysis.js";
import { encode } from "./encode.js";

/** How much of the text is read, how it is cut, and what goes on from an earlier run. */
export interface AnalyzeOptions {
  /** Tokens per window; each window is independent and every position of it counts once. Default 256. */
  contextLength?: number | undefined;
  /** Stop after this many tokens. Default: the whole corpus. */
  tokens?: number | undefined;
  /** Start every window with the tokenizer's begin-of-text token. */
  beginOfText?: boolean | undefined;
  /** Id put between documents, null for none. Default: the end-of-text token between the documents of one file. */
  separator?: number | null | undefined;
  /** Of the random choices of dimensions that the sparsity curve is compared with. Default 0. */
  seed?: number | undefined;
  /** Called after every few windows. */
  onProgress?: ((progress: AnalyzeProgress) => void | Promise<void>) | undefined;
  /** Goes on from statistics that an interrupted analysis had reached. */
  resume?: { windows: number; statistics: HeadStatistics } | undefined;
  signal?: AbortSignal | undefined;
}

/** What has been summed so far; `statistics` may be saved and given to `resume` later. */
export interface AnalyzeProgress {
  windows: number;
  contexts: number;
  statistics: HeadStatistics;
}

/**
 * Reads the token-probability encoding of a model from a corpus (METHOD.md sections 1 and 2): one pass over the text for
 * the mean probabilities and the moments of the hidden states, then the regression, the theory and the sparsity.
 *
 *     const model = await loadModel("openai-community/gpt2");
 *     const { encoding } = await analyze(model, corpus("wiki/*.txt"), { tokens: 200_000 });
 *
 * @throws InputError if the text, the tokenizer or the model cannot be used
 */
export async function analyze(model: Model, corpus: Corpus, options: AnalyzeOptions = {}): Promise<Analysis> {
  const started = performance.now();
  const { seed = 0, signal, resume } = options;
  const contextLength = contextLengthFor([model], options.contextLength);
  const tokenizer = await optionalTokenizer(model);
  const beginOfText = options.beginOfText ? requiredBeginOfText(model, tokenizer) : undefined;
  checkRegressionPossible(model);

  const stream = windows(tokenIds(corpus, tokenizer, { vocabSize: model.vocabSize, separator: options.separator }), {
    contextLength,
    maxTokens: options.tokens,
    beginOfText,
  });
  let windowCount = resume?.windows ?? 0;
  const resumedContexts = resume?.statistics.contexts ?? 0;
  const statistics = await collectStatistics(model, skip(stream, windowCount), {
    onto: resume?.statistics,
    signal,
    onBatch: async (done) => {
      windowCount += done.windows;
      const { contexts } = done.statistics;
      await options.onProgress?.({ windows: windowCount, contexts, statistics: done.statistics });
    },
  });
  const text = { files: corpus.files, contextLength, windows: windowCount, beginOfText: beginOfText !== undefined };
  return readEncoding({ model, tokenizer, statistics, text, seed, started, resumedContexts });
}

/**
 * The same from hidden states that were computed elsewhere, by anything: only the head is run. Without a tokenizer, tokens
 * go by their ids and no row of E is taken for padding.
 * @throws InputError if the hidden states or the model's head cannot be used
 */
export async function analyzeHidden(
  model: HeadModel,
  hidden: HiddenStates,
  options: Pick<AnalyzeOptions, "seed" | "signal"> & { onProgress?: (contexts: number) => void } = {},
): Promise<Analysis> {
  const started = performance.now();
  checkRegressionPossible(model);
  const statistics = await collectFromHidden(model, hidden.blocks(), {
    signal: options.signal,
    onBlock: options.onProgress,
  });
  const tokenizer = await optionalTokenizer(model);
  const text = { files: [hidden.file], contextLength: undefined, windows: undefined, beginOfText: false };
  return readEncoding({ model, tokenizer, statistics, text, seed: options.seed ?? 0, started, resumedContexts: 0 });
}

interface Pass {
  model: HeadModel;
  tokenizer: Tokenizer | undefined;
  statistics: HeadStatistics;
  text: Omit<Analysis["corpus"], "contexts">;
  seed: number;
  /** When the pass began, by performance.now(). */
  started: number;
  resumedContexts: number;
}

/** From the sums of one pass to everything that is read off them. */
async function readEncoding({ model, tokenizer, statistics, text, seed, started, resumedContexts }: Pass) {
  const passSeconds = (performance.now() - started) / 1000;
  const { name, modelType, vocabSize, hiddenSize, head, dtype, engine } = model;
  const embedding = matrix(vocabSize, hiddenSize, await readTensor(head.weight));
  const outputBias = head.bias && (await readTensor(head.bias));
  const allIds = Int32Array.from({ length: vocabSize }, (_, id) => id);
  const ids = allIds.filter((id) => tokenizer?.produces(id) ?? true);
  const { gram, release } = await gramSession(engine);
  try {
    const results = await encode({ statistics, embedding, outputBias, tokenIds: ids, seed, gram });
    const analysis: Analysis = {
      model: {
        name,
        modelType,
        vocabSize,
        hiddenSize,
        tied: head.tied,
        hasOutputBias: head.bias !== undefined,
        paddingRows: vocabSize - ids.length,
        dtype,
      },
      corpus: { ...text, contexts: statistics.contexts },
      tokens: Array.from(allIds, (id) => tokenizer?.tokenText(id) ?? `#${id}`),
      statistics,
      ...results,
      seed,
      threads: engine.threads,
      seconds: { pass: passSeconds, total: (performance.now() - started) / 1000 },
      tokensPerSecond: (statistics.contexts - resumedContexts) / passSeconds,
    };
    return analysis;
  } finally {
    await release();
  }
}

function checkRegressionPossible({ name, vocabSize, hiddenSize }: HeadModel): void {
  if (vocabSize >= hiddenSize + 2) return;
  throw new InputError(
    name,
    `has V = ${vocabSize} tokens and d = ${hiddenSize}; a regression on d dimensions needs V >= d + 2`,
  );
}

/** The tokenizer of a model that has one: token ids and hidden states can do without. */
async function optionalTokenizer(model: HeadModel): Promise<Tokenizer | undefined> {
  return (await model.hasTokenizer()) ? model.tokenizer() : undefined;
}

async function* skip<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item> {
  let index = 0;
  for await (const item of items) if (index++ >= count) yield item;
}
