import type { Corpus } from "../../corpus/corpus.js";
import { generatedTexts, windowPrompts } from "../../generation/generated-texts.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import type { Head } from "../../model/head/head.js";
import type { Model } from "../../model/model.js";
import type { ReducedTexts } from "../reduction-run.js";

const promptCount = 100;
const promptTokens = 16;
const writtenTokens = 48;
const samplesShown = 4;

export interface ReducedTextsOptions {
  readonly contextLength?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  readonly beginOfText?: BeginOfText | undefined;
  readonly separator?: number | null | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the original and a reduced head write after the beginnings of a text's windows, from the same random numbers.
 * @param deleted dimensions that the head lacks @throws InputError if the text is shorter than one prompt
 */
export async function reducedTexts(
  model: Model,
  { head, deleted }: { head: Head; deleted: number },
  corpus: Corpus,
  { contextLength, separator, beginOfText, seed = 0, signal }: ReducedTextsOptions = {},
): Promise<ReducedTexts> {
  const prompts = await windowPrompts(model, corpus, {
    ...{ count: promptCount, tokens: promptTokens, contextLength, separator, beginOfText },
  });
  const { pairs, measures } = await generatedTexts({
    ...{ original: model, edited: { head }, prompts, seeds: [seed], maxTokens: writtenTokens, measures: true, signal },
  });
  const text = (pieces: readonly { text: string }[]) => pieces.map((piece) => piece.text).join("");
  return {
    deleted,
    ...measures!,
    samples: pairs.slice(0, samplesShown).map(({ prompt, before, after }) => ({
      ...{ prompt, before: text(before), after: text(after) },
    })),
  };
}
