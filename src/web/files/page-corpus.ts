import type { Corpus } from "../../corpus/corpus.js";
import { type CorpusOptions, documentsOf, type ReadableFile } from "../../corpus/file-documents.js";
import { checkExpansion } from "../../corpus/text/expansion-bound.js";
import { InputError } from "../../errors.js";
import { exchange } from "../../hub/transfer/exchange.js";
import { defaultRetryPolicy } from "../../hub/transfer/retry.js";
import { fileSource } from "./file-folder.js";

/** Text of a page: the address of a file, a file that was dropped or chosen, or the text itself under a name. */
export type PageText = URL | File | { readonly name: string; readonly text: string };

/**
 * Text, or token ids already made, from files by their endings, as the command line reads them: plain text, `.jsonl`, `.json`,
 * `.parquet`, `.npy`, `.bin`; text also with `.gz` or `.zst` after it.
 *
 *     const text = corpus([new URL("books.txt", document.baseURI), { name: "mine", text: area.value }]);
 *
 * @throws InputError if there is nothing to read
 */
export function corpus(texts: PageText | readonly PageText[], options: CorpusOptions = {}): Corpus {
  const asked: readonly PageText[] = "length" in texts ? texts : [texts];
  const files = asked.map((text) => ({ name: nameOf(text), bytes: bytesOf(text) }));
  if (files.length === 0) throw new InputError("corpus", "no file is given");
  if (asked.every((text, i) => !(text instanceof URL) && files[i]!.bytes === 0)) {
    throw new InputError(files[0]!.name, files.length === 1 ? "is empty" : "and all other files are empty");
  }
  return {
    files,
    async *documents() {
      for (const text of asked) yield* documentsOf(readable(text), options);
    },
  };
}

const nameOf = (text: PageText) => (text instanceof URL ? text.href : text.name);

function bytesOf(text: PageText): number {
  if (text instanceof URL) return 0;
  return "text" in text && typeof text.text === "string" ? new Blob([text.text]).size : (text as File).size;
}

function readable(text: PageText): ReadableFile {
  const name = text instanceof URL ? text.pathname : text.name;
  const decoders = { gunzip, unbrotli };
  if (!(text instanceof URL)) {
    const file = text instanceof Blob ? text : new Blob([text.text]);
    return { name, source: async () => fileSource(file, name), bytes: () => streamed(file.stream()), ...decoders };
  }
  const whole = async () => {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of fetched(text)) chunks.push(new Uint8Array(chunk));
    return fileSource(new Blob(chunks), text.href);
  };
  return { name, source: whole, bytes: () => fetched(text), ...decoders };
}

async function* fetched(address: URL): AsyncGenerator<Uint8Array> {
  const connection = { endpoint: address.origin, token: undefined, retry: defaultRetryPolicy, signal: undefined };
  const answer = await exchange(connection, address.href, address).catch((error: Error) => {
    throw error instanceof InputError ? error : new InputError(address.href, error.message, { cause: error });
  });
  if (answer.status !== 200) {
    answer.close();
    throw new InputError(address.href, `${address.host} answers with status ${answer.status}`);
  }
  yield* answer.chunks();
}

async function* streamed(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** By the browser's own decoder. */
async function* gunzip(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [read, produced] = [0, 0];
  const chunks = bytes[Symbol.asyncIterator]();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) return controller.close();
      read += next.value.length;
      controller.enqueue(new Uint8Array(next.value));
    },
  });
  try {
    for await (const chunk of streamed(source.pipeThrough(new DecompressionStream("gzip")))) {
      produced += chunk.length;
      checkExpansion(name, read, produced);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(name, `gzip data is broken or cut off: ${(error as Error).message}`, { cause: error });
  }
}

async function unbrotli(): Promise<Uint8Array> {
  throw new RangeError(
    "it is compressed with Brotli, which a browser does not decompress: save it with zstd or Snappy",
  );
}
