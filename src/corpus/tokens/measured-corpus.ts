import type { Corpus, Document } from "../corpus.js";
import { windowedTokens } from "./stored-windows.js";

/**
 * Watches how much of a corpus has been read, to tell how many tokens it will have.
 * @returns the same corpus, and an estimate of all its tokens once some are known: undefined without sizes or text
 */
export function measuredCorpus(corpus: Corpus): { corpus: Corpus; estimateTokens(soFar: number): number | undefined } {
  let read = 0;
  async function* counted(text: AsyncIterable<string>) {
    for await (const part of text) {
      read += part.length;
      yield part;
    }
  }
  return {
    corpus: {
      ...corpus,
      async *documents(): AsyncGenerator<Document> {
        for await (const document of corpus.documents()) {
          yield "text" in document ? { ...document, text: counted(document.text) } : document;
        }
      },
    },
    estimateTokens(soFar) {
      if (corpus.stored) return windowedTokens(corpus.stored);
      // The size of standard input is not known before its end.
      if (read === 0 || corpus.files.some(({ name }) => name === "-")) return undefined;
      const bytes = corpus.files.reduce((sum, file) => sum + file.bytes, 0);
      // Reading runs ahead of computing, so that early estimates are low.
      return Math.max(soFar, Math.round((soFar * bytes) / read));
    },
  };
}
