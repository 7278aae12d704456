import type { Corpus } from "../../corpus/corpus.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { optionalTokenizer } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import { type ProbeOptions, type Probes, probeContexts } from "./probe-contexts.js";

/** Token ids of a text that beginnings of probes are parts of. */
const readTokens = 4096;

/** Probes whose beginnings are parts of texts, and whose tokens are all that the model's tokenizer produces. */
export async function textProbes(
  model: Model,
  texts: { readonly fit: Corpus; readonly unseen?: Corpus | undefined },
  options: Omit<ProbeOptions, "fit" | "unseen" | "ids"> = {},
): Promise<Probes> {
  const tokenizer = await optionalTokenizer(model);
  const { vocabSize } = model;
  return probeContexts(model, {
    ...options,
    fit: await firstIds(texts.fit, tokenizer, vocabSize),
    unseen: texts.unseen && (await firstIds(texts.unseen, tokenizer, vocabSize)),
    ids: producedIds(tokenizer, vocabSize),
  });
}

/** Ids of all tokens that there are, ascending: without a tokenizer all rows of E count as such. */
export function producedIds(tokenizer: Tokenizer | undefined, vocabSize: number): Int32Array {
  const all = Int32Array.from({ length: vocabSize }, (_, id) => id);
  return tokenizer ? all.filter((id) => id < tokenizer.vocabSize && tokenizer.produces(id)) : all;
}

async function firstIds(corpus: Corpus, tokenizer: Tokenizer | undefined, vocabSize: number): Promise<Int32Array> {
  const ids: number[] = [];
  for await (const part of tokenIds(corpus, tokenizer, { vocabSize })) {
    for (const id of Array.from(part)) if (ids.push(id) === readTokens) return Int32Array.from(ids);
  }
  return Int32Array.from(ids);
}
