import type { CorpusOptions } from "../../corpus/file-documents.js";
import type { SteerTexts } from "../../runs/steering/steer-options.js";
import { corpus } from "../corpus/corpus-files.js";
import { openCorpus } from "../corpus/open-corpus.js";
import type { HubOptions } from "../hub/repository.js";
import { defaultCorpus, embeddedTexts } from "../load-model.js";

/** Where the texts of a run lie: files, folders, globs or data sets of the hub. */
export interface SteerTextPaths {
  /** Text to fit to. Default: embedded text. */
  readonly corpus?: readonly string[] | undefined;
  /** Unseen text: the first of the same kind, the others of another. Default: embedded text of both kinds. */
  readonly check?: readonly string[] | undefined;
}

/** @throws InputError if a text is not there */
export async function openSteerTexts(
  { corpus: fit = [defaultCorpus], check = [] }: SteerTextPaths,
  reading: CorpusOptions,
  hub: HubOptions,
): Promise<SteerTexts> {
  const opened = await openCorpus(fit, reading, hub);
  const [same, ...others] = check;
  if (same === undefined) {
    return { fit: opened, inDomain: corpus(embeddedTexts.inDomain), outOfDomain: corpus(embeddedTexts.outOfDomain) };
  }
  return {
    fit: opened,
    inDomain: await openCorpus([same], reading, hub),
    outOfDomain: others.length > 0 ? await openCorpus(others, reading, hub) : undefined,
  };
}
