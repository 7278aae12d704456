import type { Corpus } from "../../corpus/corpus.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { type BeginOfText, beginOfWindows } from "../../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../../model/contexts/context.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { optionalTokenizer } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import type { Windows } from "../../model/pass/window-batches.js";
import { windowBatches } from "../../model/pass/window-batches.js";

/** A text to measure on: to be run through the layers, or what has been kept of that. */
export type CheckSource = Corpus | StoredContexts;

/** How much of a text that is run is measured on, and how it is cut. */
export interface ReadOptions {
  /** Tokens of each text. Default: all. */
  readonly tokens?: number | undefined;
  readonly contextLength?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  readonly beginOfText?: BeginOfText | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  readonly separator?: number | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Windows of a text side by side, with where the first of their contexts stands. */
export interface CheckBatch {
  readonly part: Windows;
  readonly start: number;
}

/** A text in batches, and the hidden states of one. */
export interface CheckBatches {
  readonly batches: AsyncIterable<CheckBatch>;
  hiddenOf(batch: CheckBatch): Promise<Float32Array>;
  release(): Promise<void>;
}

export async function checkBatches(model: Model, source: CheckSource, options: ReadOptions): Promise<CheckBatches> {
  if ("read" in source) {
    return {
      batches: placed(windowBatches(storedWindows(source))),
      hiddenOf: ({ part: { tokenIds: ids }, start }) => source.read(start, start + ids.length),
      release: async () => {},
    };
  }
  const { vocabSize } = model;
  const { separator, tokens: maxTokens } = options;
  const tokenizer = await optionalTokenizer(model);
  const begin = await beginOfWindows(model, tokenizer, source, options.beginOfText);
  const ids = tokenIds(begin.corpus, tokenizer, { vocabSize, separator });
  const contextLength = contextLengthFor([model], options.contextLength, source);
  const stream = windows(ids, { contextLength, maxTokens, beginOfText: begin.ids });
  const pass = await model.pass(stream, { signal: options.signal });
  return { batches: placed(pass.batches), hiddenOf: ({ part }) => pass.hiddenOf(part), release: pass.release };
}

async function* placed(parts: AsyncIterable<Windows>): AsyncGenerator<CheckBatch> {
  let start = 0;
  for await (const part of parts) {
    yield { part, start };
    start += part.tokenIds.length;
  }
}

async function* storedWindows({ tokenIds: ids, windowStarts }: StoredContexts): AsyncGenerator<Int32Array> {
  for (let w = 0; w + 1 < windowStarts.length; w++) yield ids.subarray(windowStarts[w]!, windowStarts[w + 1]!);
}
