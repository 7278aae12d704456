import type { CorpusOptions } from "../../corpus/file-documents.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { Frequencies } from "../../dynamics/dynamics.js";
import { countDocuments } from "../../dynamics/inputs/count-tokens.js";
import { countFrequencies, probabilityFrequencies } from "../../dynamics/inputs/frequencies.js";
import { readTokenCounts } from "../../dynamics/inputs/token-counts.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { openCorpus } from "../corpus/open-corpus.js";
import { openFileSource } from "../files/file-source.js";
import type { HubOptions } from "../hub/repository.js";
import { readMeasuredProbabilities } from "./measured-probabilities.js";

/** Where the frequencies of tokens come from. */
export type FrequencySource =
  /** A file of counts by token id: .npy, .json, .safetensors or .csv. */
  | { readonly counts: string; readonly seenOnly?: boolean | undefined }
  /** Files of text, counted with the tokenizer. */
  | {
      readonly corpus: readonly string[];
      readonly reading?: CorpusOptions | undefined;
      /** Whether a begin-of-text token is counted for every document. Default "auto": as the tokenizer does it. */
      readonly beginOfText?: BeginOfText | undefined;
      readonly seenOnly?: boolean | undefined;
    }
  /** An analysis's folder: the mean output probabilities that it measured. */
  | { readonly probabilities: string };

/**
 * What `dynamics` asks for frequencies, once it knows V.
 * @param tokenizer counts a text, and tells which rows stand for no token
 */
export function frequenciesFrom(
  source: FrequencySource,
  tokenizer?: Tokenizer | undefined,
  hub: HubOptions = {},
): (vocabSize: number) => Promise<Frequencies> {
  return async (vocabSize) => {
    if ("probabilities" in source) {
      const { meanProbability, tokenIds, name } = await readMeasuredProbabilities(source.probabilities);
      return probabilityFrequencies(meanProbability, tokenIds, name, vocabSize);
    }
    const { seenOnly = false } = source;
    const given = { vocabSize, seenOnly, produces: tokenizer?.produces };
    if ("counts" in source) {
      const counts = await readTokenCounts(await openFileSource(source.counts));
      return countFrequencies({ counts, source: source.counts, ...given });
    }
    const text = await openCorpus(source.corpus, source.reading ?? {}, hub);
    const { counts, beginOfText } = await countDocuments(text, tokenizer, {
      ...{ vocabSize, beginOfText: source.beginOfText, signal: hub.signal },
    });
    const begun = beginOfText ? " (each document after begin-of-text)" : "";
    return countFrequencies({ counts, source: `${source.corpus.join(", ")}${begun}`, ...given });
  };
}
