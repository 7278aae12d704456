import type { Corpus } from "../../corpus/corpus.js";
import type { Analysis } from "../../encoding/analysis.js";
import { collectText } from "../../encoding/collect-text.js";
import { readEncoding } from "../../encoding/read-encoding.js";
import { InputError } from "../../errors.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import type { Windows } from "../../model/pass/window-batches.js";
import type { CollectedSums } from "../../statistics/collected-sums.js";
import { merge } from "../../statistics/head-statistics.js";

/** A text that was read: what was measured of it, and what the head multiplies in each of its contexts. */
export interface ReadText {
  readonly analysis: Analysis;
  readonly contexts: StoredContexts;
  readonly corpus: Corpus;
  readonly contextLength: number;
}

export interface ReadTextWatched {
  readonly tokens: number;
  readonly signal: AbortSignal;
  readonly onContexts: (contexts: number) => void;
  /** Told what the text says so far, a few times. */
  readonly onAnalysis: (analysis: Analysis) => void;
}

/** The first figures are drawn from so many contexts, and each later ones from so many times as many. */
const firstFigures = 1024;
const figuresGrowth = 4;

/**
 * One pass of a text through the layers: sums, as `analyze` makes them to the last bit, and hidden states, which everything else
 * works on.
 * @throws InputError if the text cannot be used
 */
export async function readText(
  model: Model,
  corpus: Corpus,
  { tokens, signal, onContexts, onAnalysis }: ReadTextWatched,
): Promise<ReadText> {
  const watched = watchedModel(model);
  let next = firstFigures;
  const collected = await collectText(watched.model, corpus, {
    ...{ tokens, signal },
    onProgress: async ({ contexts, sums }) => {
      onContexts(contexts);
      if (contexts < next || contexts >= tokens) return;
      next = contexts * figuresGrowth;
      onAnalysis(await readEncoding(model, { statistics: soFar(sums) }));
    },
  });
  if (collected.statistics.contexts === 0) throw new InputError("text", "holds no tokens");
  const analysis = await readEncoding(model, collected);
  return {
    ...{ analysis, corpus, contexts: await watched.contexts() },
    contextLength: collected.text.contextLength ?? tokens,
  };
}

const soFar = ({ statistics, block }: CollectedSums) => merge(statistics, block);

/** The model, and what its layers gave since, in the order in which they were asked. */
function watchedModel(model: Model): { model: Model; contexts(): Promise<StoredContexts> } {
  const seen: { part: Windows; hidden: Promise<Float32Array> }[] = [];
  return {
    model: {
      ...model,
      async pass(windows, options) {
        const pass = await model.pass(windows, options);
        return {
          ...pass,
          hiddenOf(part) {
            const hidden = pass.hiddenOf(part);
            seen.push({ part, hidden });
            return hidden;
          },
        };
      },
    },
    async contexts() {
      const { hiddenSize } = model;
      const store = memoryStore();
      const tokenIds: number[] = [];
      const windowStarts = [0];
      for (const { part, hidden } of seen) {
        await store.append(await hidden);
        for (const id of part.tokenIds) tokenIds.push(id);
        for (let w = 0; w < part.count; w++) windowStarts.push(windowStarts.at(-1)! + part.length);
      }
      return {
        ...{ count: tokenIds.length, hiddenSize },
        tokenIds: Int32Array.from(tokenIds),
        windowStarts: Int32Array.from(windowStarts),
        read: (start, end) => store.read(start * hiddenSize, end * hiddenSize),
        release: () => store.release(),
      };
    },
  };
}
