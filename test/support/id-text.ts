import type { Corpus } from "../../src/corpus/corpus.js";

/** A text of token ids, for models without a tokenizer. */
export function idText(ids: Int32Array): Corpus {
  return {
    files: [],
    async *documents() {
      yield {
        name: "ids",
        ids: (async function* () {
          yield ids;
        })(),
      };
    },
  };
}
