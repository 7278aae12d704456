import { InputError } from "../errors.js";
import type { ByteSource } from "../tensor/byte-source.js";
import type { Document } from "./corpus.js";
import { parquetDocuments } from "./parquet/parquet-documents.js";
import { jsonDocuments, jsonLinesDocuments } from "./text/json-documents.js";
import { textStream } from "./text/text-stream.js";
import { zstdStream } from "./text/zstd-stream.js";
import { npyDocuments, rawIdDocuments, type TokenDType } from "./tokens/id-files.js";

/** How files other than plain text are to be read. */
export interface CorpusOptions {
  /** Field of a JSON document that holds its text. Default "text". */
  field?: string | undefined;
  /** Column of a Parquet file that holds the texts. Default "text". */
  column?: string | undefined;
  /** Number type of the token ids in a .bin file. No default: the file doesn't say. */
  tokenDType?: TokenDType | undefined;
}

/** A file of a corpus, and the decoders that wherever this runs has of its own. */
export interface ReadableFile {
  /** Its ending says what is in it. */
  readonly name: string;
  /** For files that are read in place. */
  source(): Promise<ByteSource>;
  /** From its start to its end. */
  bytes(): AsyncIterable<Uint8Array>;
  /** @throws InputError if the data is broken, cut off, or grows beyond belief */
  gunzip(name: string, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** @param size at most so much is made @throws RangeError if it is broken or more */
  unbrotli(bytes: Uint8Array, size: number): Promise<Uint8Array>;
}

/** Endings of binary files, which are read in place. */
const binaryEndings = [".parquet", ".npy", ".bin"];

/**
 * The documents of a file by its ending: .jsonl and .ndjson, .json, .parquet, .npy, .bin, all else plain text; each but the
 * binary ones also with .gz or .zst after it.
 * @throws InputError if the ending needs an option that is not given
 */
export function documentsOf(file: ReadableFile, options: CorpusOptions): AsyncIterable<Document> {
  const { name } = file;
  const { ending, compression } = endingsOf(name);
  const { field = "text", column = "text", tokenDType } = options;
  if (binaryEndings.includes(ending) && compression !== undefined) {
    throw new InputError(name, `decompress it first: ${ending} files are read in place`);
  }
  if (ending === ".parquet") return opened(file, (source) => parquetDocuments(source, column, file.unbrotli));
  if (ending === ".npy") return opened(file, npyDocuments);
  if (ending === ".bin") {
    if (tokenDType === undefined) {
      throw new InputError(name, "a .bin file doesn't say its number type: give uint16 or uint32");
    }
    return opened(file, (source) => rawIdDocuments(source, tokenDType));
  }
  const text = textStream(name, decompressed(file, compression));
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

function decompressed(file: ReadableFile, compression: Compression | undefined): AsyncIterable<Uint8Array> {
  if (compression === ".gz") return file.gunzip(file.name, file.bytes());
  return compression === ".zst" ? zstdStream(file.name, file.bytes()) : file.bytes();
}

async function* opened(
  file: ReadableFile,
  read: (source: ByteSource) => AsyncIterable<Document>,
): AsyncGenerator<Document> {
  yield* read(await file.source());
}

async function* one(document: Document): AsyncGenerator<Document> {
  yield document;
}
