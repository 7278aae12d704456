import type { Corpus } from "../../corpus/corpus.js";
import type { CorpusOptions } from "../../corpus/file-documents.js";
import { InputError } from "../../errors.js";
import { datasetFiles } from "../hub/dataset.js";
import type { HubOptions } from "../hub/repository.js";
import { corpus } from "./corpus-files.js";
import { fileDocuments } from "./file-documents.js";

const onHub = (path: string) => path.startsWith("hf://");

/**
 * A corpus from local paths, as `corpus` takes them, and from data sets of the hub (`hf://datasets/org/name`), in the order
 * given. Files of a data set are fetched one by one as they are read: with a limit on tokens, no more than are needed.
 * @throws InputError if there is nothing to read
 */
export async function openCorpus(
  paths: readonly string[],
  options: CorpusOptions = {},
  hub: HubOptions = {},
): Promise<Corpus> {
  if (!paths.some(onHub)) return corpus(paths, options);
  const parts = await Promise.all(
    paths.map((path) => (onHub(path) ? datasetCorpus(path, options, hub) : corpus(path, options))),
  );
  const files = parts.flatMap((part) => part.files);
  if (files.filter(({ name }) => name === "-").length > 1) {
    throw new InputError("-", "standard input can be read only once");
  }
  return {
    files,
    async *documents() {
      for (const part of parts) yield* part.documents();
    },
  };
}

async function datasetCorpus(path: string, options: CorpusOptions, hub: HubOptions): Promise<Corpus> {
  const found = await datasetFiles(path, hub);
  return {
    files: found.map(({ name, bytes }) => ({ name, bytes })),
    async *documents() {
      for (const { fetch, bytes } of found) yield* fileDocuments({ name: await fetch(), bytes }, options);
    },
  };
}
