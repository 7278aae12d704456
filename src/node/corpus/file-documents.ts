import { createReadStream } from "node:fs";
import type { Corpus, Document } from "../../corpus/corpus.js";
import { type CorpusOptions, documentsOf } from "../../corpus/file-documents.js";
import { refuseLfsPointer } from "../../tensor/git-lfs.js";
import { fileError, openFileSource } from "../files/file-source.js";
import { gunzip } from "../files/gunzip.js";
import { unbrotli } from "../files/unbrotli.js";

/** One entry of `Corpus.files`. */
export type CorpusFile = Corpus["files"][number];

/** Endings of the files that are taken from a folder: those whose content can only be text to read. */
export const folderEndings = [
  ...[".txt", ".text", ".jsonl", ".ndjson"].flatMap((ending) => [ending, `${ending}.gz`, `${ending}.zst`]),
  ".parquet",
];

const readSize = 2 ** 18;

/**
 * The documents of a file by its ending. `-` is standard input, plain text.
 * @throws InputError if the ending needs an option that is not given
 */
export function fileDocuments(file: CorpusFile, options: CorpusOptions): AsyncIterable<Document> {
  const { name } = file;
  return documentsOf(
    { name, source: () => openFileSource(name), bytes: () => fileBytes(file), gunzip, unbrotli },
    options,
  );
}

/** Bytes of a file as they are read. */
async function* fileBytes(file: CorpusFile): AsyncGenerator<Uint8Array> {
  const isInput = file.name === "-";
  const stream = isInput ? process.stdin : createReadStream(file.name, { highWaterMark: readSize });
  let isFirst = true;
  try {
    for await (const chunk of stream) {
      if (isFirst && !isInput) refuseLfsPointer(file.name, chunk as Uint8Array, file.bytes);
      isFirst = false;
      if (isInput) file.bytes += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  } catch (error) {
    throw fileError(file.name, error);
  }
}
