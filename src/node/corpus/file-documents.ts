import { createReadStream } from "node:fs";
import type { Corpus, Document } from "../../corpus/corpus.js";
import { parquetDocuments } from "../../corpus/parquet/parquet-documents.js";
import { jsonDocuments, jsonLinesDocuments } from "../../corpus/text/json-documents.js";
import { textStream } from "../../corpus/text/text-stream.js";
import { zstdStream } from "../../corpus/text/zstd-stream.js";
import { npyDocuments, rawIdDocuments, type TokenDType } from "../../corpus/tokens/id-files.js";
import { InputError } from "../../errors.js";
import { refuseLfsPointer } from "../../tensor/git-lfs.js";
import { fileError, openFileSource } from "../files/file-source.js";
import { gunzip } from "../files/gunzip.js";
import { unbrotli } from "../files/unbrotli.js";

/** How files other than plain text are to be read. */
export interface CorpusOptions {
  /** Field of a JSON document that holds its text. Default "text". */
  field?: string | undefined;
  /** Column of a Parquet file that holds the texts. Default "text". */
  column?: string | undefined;
  /** Number type of the token ids in a .bin file. No default: the file doesn't say. */
  tokenDType?: TokenDType | undefined;
}

/** One entry of `Corpus.files`. */
export type CorpusFile = Corpus["files"][number];

/** Endings of the files that are taken from a folder: those whose content can only be text to read. */
export const folderEndings = [
  ...[".txt", ".text", ".jsonl", ".ndjson"].flatMap((ending) => [ending, `${ending}.gz`, `${ending}.zst`]),
  ".parquet",
];

/** Endings of binary files, which are read in place. */
const binaryEndings = [".parquet", ".npy", ".bin"];

const readSize = 2 ** 18;

/**
 * The documents of a file by its ending: .jsonl and .ndjson, .json, .parquet, .npy, .bin, all else plain text; each but the
 * binary ones also with .gz or .zst after it. `-` is standard input, plain text.
 * @throws InputError if the ending needs an option that is not given
 */
export function fileDocuments(file: CorpusFile, options: CorpusOptions): AsyncIterable<Document> {
  const { name } = file;
  const { ending, compression } = endingsOf(name);
  const { field = "text", column = "text", tokenDType } = options;
  if (binaryEndings.includes(ending) && compression !== undefined) {
    throw new InputError(name, `decompress it first: ${ending} files are read in place`);
  }
  if (ending === ".parquet") return opened(name, (source) => parquetDocuments(source, column, unbrotli));
  if (ending === ".npy") return opened(name, npyDocuments);
  if (ending === ".bin") {
    if (tokenDType === undefined) {
      throw new InputError(name, "a .bin file doesn't say its number type: give uint16 or uint32");
    }
    return opened(name, (source) => rawIdDocuments(source, tokenDType));
  }
  const text = textStream(name, decompressed(name, compression, fileBytes(file)));
  if (ending === ".jsonl" || ending === ".ndjson") return jsonLinesDocuments(name, text, field);
  if (ending === ".json") return jsonDocuments(name, text, field);
  return one({ name, text });
}

type Compression = ".gz" | ".zst";

function endingsOf(name: string): { ending: string; compression: Compression | undefined } {
  const match = /^(.*?)(\.gz|\.zst)?$/is.exec(name)!;
  const ending = /\.[^./\\]*$/.exec(match[1]!)?.[0] ?? "";
  return { ending: ending.toLowerCase(), compression: match[2]?.toLowerCase() as Compression | undefined };
}

function decompressed(
  name: string,
  compression: Compression | undefined,
  bytes: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  if (compression === ".gz") return gunzip(name, bytes);
  return compression === ".zst" ? zstdStream(name, bytes) : bytes;
}

async function* opened(
  name: string,
  read: (source: Awaited<ReturnType<typeof openFileSource>>) => AsyncIterable<Document>,
): AsyncGenerator<Document> {
  yield* read(await openFileSource(name));
}

async function* one(document: Document): AsyncGenerator<Document> {
  yield document;
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
