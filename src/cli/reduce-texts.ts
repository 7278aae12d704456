import type { Corpus } from "../corpus/corpus.js";
import { InputError } from "../errors.js";
import { contextLengthFor } from "../model/contexts/context.js";
import { storeText } from "../model/contexts/store-text.js";
import type { StoredContexts } from "../model/contexts/stored-contexts.js";
import type { Model } from "../model/model.js";
import { openCorpus } from "../node/corpus/open-corpus.js";
import { rowFile } from "../node/files/row-file.js";
import type { HubOptions } from "../node/hub/repository.js";
import { defaultCorpus, embeddedTexts } from "../node/load-model.js";
import { readingOf, separatorId, type TextArguments } from "./options/text-options.js";
import { noProgress, tokenProgress } from "./progress/progress.js";

/** What of a command line says which text a reduction is fitted to and measured on. */
export interface TextsArguments extends TextArguments {
  corpus?: string[];
  tokens: number;
  context?: number;
  check?: string[];
  checkTokens: number;
  /** Text is also written after beginnings of the text to check on. */
  curve?: boolean;
  quiet?: boolean;
}

/** A text that went through the model's layers. */
export interface StoredText {
  readonly corpus: Corpus;
  readonly contexts: StoredContexts;
}

export interface StoredTexts {
  readonly contextLength: number;
  /** Put between documents. */
  readonly separator: number | null | undefined;
  readonly fit: StoredText;
  readonly check: StoredText;
  release(): Promise<void>;
}

/** Runs the texts to fit to and to measure on through the model's layers. @throws InputError if one cannot be used */
export async function storeTexts(
  model: Model,
  args: TextsArguments,
  { hub, signal }: { hub: HubOptions; signal: AbortSignal },
): Promise<StoredTexts> {
  const readAgain = args.curve || args.corpus?.includes("-");
  if (args.check?.includes("-") && readAgain) {
    throw new InputError("--check", "- can be read only once, and is wanted twice: give a file");
  }
  const contextLength = contextLengthFor([model], args.context);
  const separator = await separatorId(model, args.separator);
  const reading = readingOf(args);
  const stored: StoredContexts[] = [];
  const release = async () => {
    for (const contexts of stored) await contexts.release();
  };
  const store = async (label: string, paths: readonly string[], maxTokens: number): Promise<StoredText> => {
    const corpus = await openCorpus(paths, reading, hub);
    const progress = args.quiet ? noProgress : tokenProgress(process.stderr, label);
    try {
      const contexts = await storeText(model, corpus, {
        ...{ tokens: maxTokens, contextLength, separator, store: await rowFile(), signal },
        onProgress: (done) => progress.update(done, maxTokens),
      });
      stored.push(contexts);
      return { corpus, contexts };
    } finally {
      progress.stop();
    }
  };
  try {
    const fit = await store("fit", args.corpus ?? [defaultCorpus], args.tokens);
    const check = await store("check", args.check ?? [embeddedTexts.inDomain], args.checkTokens);
    return { contextLength, separator, fit, check, release };
  } catch (error) {
    await release();
    throw error;
  }
}
