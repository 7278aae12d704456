import type { Corpus } from "../corpus/corpus.js";
import { tokenIds } from "../corpus/token-ids.js";
import type { Tokenizer } from "../corpus/tokenizer.js";
import { windows } from "../corpus/windows.js";
import { gramSession } from "../engine/gram-session.js";
import { InputError } from "../errors.js";
import type { Model } from "../model/model.js";
import { collectStatistics } from "../statistics/collect.js";
import type { HeadStatistics } from "../statistics/head-statistics.js";
import { matrix } from "../tensor/matrix.js";
import { readTensor } from "../tensor/safetensors.js";
import type { Analysis } from "./analysis.js";
import { encode } from "./encode.js";

export interface AnalyzeOptions {
  /** Tokens per window; each window is independent and every position of it counts once. Default 256. */
  contextLength?: number | undefined;
  /** Stop after this many tokens. Default: the whole corpus. */
  tokens?: number | undefined;
  /** Start every window with the tokenizer's begin-of-text token. */
  beginOfText?: boolean | undefined;
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

const defaultContextLength = 256;

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
  const contextLength = checkedContextLength(model, options.contextLength);
  const tokenizer = await model.tokenizer();
  const beginOfText = options.beginOfText ? requiredBeginOfText(model, tokenizer) : undefined;
  if (model.vocabSize < model.hiddenSize + 2) {
    throw new InputError(
      model.name,
      `has V = ${model.vocabSize} tokens and d = ${model.hiddenSize}; a regression on d dimensions needs V >= d + 2`,
    );
  }

  const stream = windows(tokenIds(corpus, tokenizer, { vocabSize: model.vocabSize }), {
    contextLength,
    ...(options.tokens === undefined ? {} : { maxTokens: options.tokens }),
    ...(beginOfText === undefined ? {} : { beginOfText }),
  });
  let windowCount = resume?.windows ?? 0;
  const resumedContexts = resume?.statistics.contexts ?? 0;
  const statistics = await collectStatistics(model, skip(stream, windowCount), {
    onto: resume?.statistics,
    signal,
    onBatch: async (done) => {
      windowCount += done.windows;
      await options.onProgress?.({
        windows: windowCount,
        contexts: done.statistics.contexts,
        statistics: done.statistics,
      });
    },
  });
  const passSeconds = (performance.now() - started) / 1000;

  const embedding = matrix(model.vocabSize, model.hiddenSize, await readTensor(model.head.weight));
  const outputBias = model.head.bias && (await readTensor(model.head.bias));
  const ids = Int32Array.from({ length: model.vocabSize }, (_, id) => id).filter((id) => tokenizer.produces(id));
  const { gram, release } = await gramSession(model.engine);
  try {
    const results = await encode({ statistics, embedding, outputBias, tokenIds: ids, seed, gram });
    const total = (performance.now() - started) / 1000;
    return {
      model: {
        name: model.name,
        modelType: model.modelType,
        vocabSize: model.vocabSize,
        hiddenSize: model.hiddenSize,
        tied: model.head.tied,
        hasOutputBias: model.head.bias !== undefined,
        paddingRows: model.vocabSize - ids.length,
        dtype: model.dtype,
      },
      corpus: {
        files: corpus.files,
        contextLength,
        windows: windowCount,
        contexts: statistics.contexts,
        beginOfText: beginOfText !== undefined,
      },
      tokens: Array.from({ length: model.vocabSize }, (_, id) => tokenizer.tokenText(id)),
      statistics,
      ...results,
      seed,
      threads: model.engine.threads,
      seconds: { pass: passSeconds, total },
      tokensPerSecond: (statistics.contexts - resumedContexts) / passSeconds,
    };
  } finally {
    await release();
  }
}

function checkedContextLength({ name, maxPositions }: Model, asked: number | undefined): number {
  if (asked !== undefined && maxPositions !== undefined && asked > maxPositions) {
    throw new InputError(name, `has ${maxPositions} positions; a context of ${asked} tokens is too long`);
  }
  return asked ?? Math.min(defaultContextLength, maxPositions ?? defaultContextLength);
}

function requiredBeginOfText(model: Model, { beginOfText }: Tokenizer): number {
  if (beginOfText !== undefined) return beginOfText;
  throw new InputError(model.name, "its tokenizer names no begin-of-text token (bos_token) to start windows with");
}

async function* skip<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item> {
  let index = 0;
  for await (const item of items) if (index++ >= count) yield item;
}
