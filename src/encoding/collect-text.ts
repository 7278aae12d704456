import type { Corpus, StoredIds } from "../corpus/corpus.js";
import type { HiddenStates } from "../corpus/hidden-states.js";
import { idsPerWindow, type WindowShape, windowCount } from "../corpus/tokens/stored-windows.js";
import { tokenIds } from "../corpus/tokens/token-ids.js";
import { windows } from "../corpus/tokens/windows.js";
import { type BeginOfText, beginOfWindows } from "../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../model/contexts/context.js";
import type { HeadModel } from "../model/head/head-model.js";
import { optionalTokenizer } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import type { StatePlace } from "../model/pass/state-place.js";
import { collectFromHidden, collectStatistics } from "../statistics/collect.js";
import { type CollectedSums, contextsOf } from "../statistics/collected-sums.js";
import type { Collected } from "./collected.js";
import { checkRegressionPossible } from "./read-encoding.js";

/** How much of the text is read, how it is cut, and what goes on from an earlier pass. */
export interface CollectTextOptions {
  /** Tokens per window; each window is independent and every position of it is a context. Default 256. */
  contextLength?: number | undefined;
  /** The text ends after this many tokens. Default: the whole corpus. */
  tokens?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  beginOfText?: BeginOfText | undefined;
  /** Id put between documents, null for none. Default: the end-of-text token between the documents of one file. */
  separator?: number | null | undefined;
  /**
   * Windows of the text to sum over: from this one on, up to and without `endWindow`. Default: all. Parts of a text that are
   * cut at multiples of 64 windows merge to the same bits as the whole.
   */
  firstWindow?: number | undefined;
  endWindow?: number | undefined;
  /** Goes on from what an interrupted pass over the same text had reached (`onProgress`), changing it in place. */
  resume?: CollectedSums | undefined;
  /** Where hidden states lie between the layers of a model that is larger than its memory. Default: as it was opened. */
  place?: StatePlace | undefined;
  /** Called after every few windows. */
  onProgress?: ((reached: CollectProgress) => void | Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

/** What has been summed so far: `sums` go on growing, but may be saved at once, and given to `resume` later. */
export interface CollectProgress {
  contexts: number;
  sums: CollectedSums;
}

/**
 * Runs a text, or some of its windows, through a model and sums what the encoding is read from (METHOD.md section 1):
 * the first half of `analyze`. Statistics of parts, collected anywhere, `merge`; `readEncoding` is the second half.
 *
 *     const half = { tokens: 200_000, contextLength: 256 };
 *     const first = await collectText(model, text, { ...half, endWindow: 384 }); // on one machine
 *     const second = await collectText(model, text, { ...half, firstWindow: 384 }); // on another
 *     const analysis = await readEncoding(model, { statistics: merge(first.statistics, second.statistics) });
 *
 * @throws InputError if the text, the tokenizer or the model cannot be used
 */
export async function collectText(model: Model, corpus: Corpus, options: CollectTextOptions = {}): Promise<Collected> {
  const started = performance.now();
  const { firstWindow = 0, endWindow, resume, place, signal, onProgress } = options;
  const contextLength = contextLengthFor([model], options.contextLength, corpus);
  const tokenizer = await optionalTokenizer(model);
  const begin = await beginOfWindows(model, tokenizer, corpus, options.beginOfText);
  checkRegressionPossible(model);

  const ids = (text: Corpus) => tokenIds(text, tokenizer, { vocabSize: model.vocabSize, separator: options.separator });
  const shape = { contextLength, beginOfText: begin.ids };
  // Layers that take turns have run over all windows before the first is summed, and may have been kept.
  const from = model.inTurns ? firstWindow : (resume?.nextWindow ?? firstWindow);
  const asked = { from, to: endWindow, maxTokens: options.tokens };
  const { stored } = corpus;
  const stream = stored ? storedWindows(stored, ids, shape, asked) : windowsBetween(ids(begin.corpus), shape, asked);
  const resumed = resume ? contextsOf(resume) : 0;
  const statistics = await collectStatistics(model, stream, {
    firstWindow: from,
    resume,
    place,
    signal,
    onBatch: (sums) => onProgress?.({ contexts: contextsOf(sums), sums }),
  });
  const seconds = (performance.now() - started) / 1000;
  return {
    statistics,
    text: { files: corpus.files, contextLength, beginOfText: begin.ids.length > 0 },
    pass: { seconds, tokensPerSecond: (statistics.contexts - resumed) / seconds },
  };
}

/**
 * The same from hidden states that were computed elsewhere, by anything: only the head is run. 256 contexts count as a window.
 * @throws InputError if the hidden states or the model's head cannot be used
 */
export async function collectHidden(
  model: HeadModel,
  hidden: HiddenStates,
  {
    firstWindow,
    signal,
    onProgress,
  }: Pick<CollectTextOptions, "firstWindow" | "signal"> & {
    /** Given the number of rows summed so far. */
    onProgress?: ((contexts: number) => void) | undefined;
  } = {},
): Promise<Collected> {
  const started = performance.now();
  checkRegressionPossible(model);
  const statistics = await collectFromHidden(model, hidden.blocks(), { firstWindow, signal, onWindow: onProgress });
  const seconds = (performance.now() - started) / 1000;
  return {
    statistics,
    text: { files: [hidden.file], contextLength: undefined, beginOfText: false },
    pass: { seconds, tokensPerSecond: statistics.contexts / seconds },
  };
}

/** Windows of a text that are wanted. */
interface WindowRange {
  readonly from: number;
  readonly to?: number | undefined;
  readonly maxTokens?: number | undefined;
}

/** Windows of a text that has to be read from its beginning. */
async function* windowsBetween(
  ids: AsyncIterable<ArrayLike<number>>,
  shape: WindowShape,
  { from, to = Number.POSITIVE_INFINITY, maxTokens }: WindowRange,
): AsyncGenerator<Int32Array> {
  let index = 0;
  for await (const window of windows(ids, { ...shape, maxTokens })) {
    if (index >= to) return;
    if (index++ >= from) yield window;
  }
}

/** The same of stored ids: what comes before is not read. */
async function* storedWindows(
  stored: StoredIds,
  ids: (text: Corpus) => AsyncIterable<ArrayLike<number>>,
  shape: WindowShape,
  { from, to = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY }: WindowRange,
): AsyncGenerator<Int32Array> {
  if (from >= Math.min(to, windowCount(stored, shape, maxTokens))) return;
  const documents = () => stored.from(from * idsPerWindow(shape));
  const rest = { ...shape, maxTokens: maxTokens - from * shape.contextLength, continued: from > 0 };
  let left = to - from;
  for await (const window of windows(ids({ files: [], documents }), rest)) {
    yield window;
    if (--left === 0) return;
  }
}
