import type { Corpus, Document, StoredIds } from "../../corpus/corpus.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { tokenizerHash } from "../../corpus/tokenizer/tokenizer-hash.js";
import { InputError } from "../../errors.js";
import { type HeadModel, optionalTokenizer } from "../head/head-model.js";

/** Whether texts begin with the begin-of-text token: as the model's own tokenizer does it, always (or true), or never (or false). */
export type BeginOfText = "auto" | "always" | "never" | boolean;

/**
 * Ids that go before every window of a text, or before a prompt. With "always", one token even where the tokenizer puts none.
 * @throws InputError if the token is asked for and the tokenizer names none
 */
export function beginOfTextIds(
  { name }: Pick<HeadModel, "name">,
  tokenizer: Tokenizer | undefined,
  when: BeginOfText,
): readonly number[] {
  if (when === "never" || when === false) return [];
  const own = tokenizer?.startsWith ?? [];
  if (when === "auto" || own.length > 0) return own;
  if (tokenizer?.beginOfText !== undefined) return [tokenizer.beginOfText];
  throw new InputError(name, "its tokenizer names no begin-of-text token (bos_token) to start windows with");
}

/**
 * The same for a corpus: with "auto", token ids that were made elsewhere stay as they are, which its first document tells.
 * @returns the ids, and the corpus, to be read in place of the one given
 */
export async function beginOfWindows(
  model: Pick<HeadModel, "name" | "folder">,
  tokenizer: Tokenizer | undefined,
  corpus: Corpus,
  when: BeginOfText = "auto",
): Promise<{ ids: readonly number[]; corpus: Corpus }> {
  const { stored } = corpus;
  if (stored) await requireSameTokenizer(model, stored);
  if (stored && when === "auto") return { ids: stored.beginOfText, corpus };
  const ids = beginOfTextIds(model, tokenizer, when);
  if (when !== "auto" || ids.length === 0) return { ids, corpus };
  const documents = corpus.documents()[Symbol.asyncIterator]();
  const first = await documents.next();
  async function* all(): AsyncGenerator<Document> {
    for (let next = first; !next.done; next = await documents.next()) yield next.value;
  }
  // A chat template writes the token itself.
  const isText = first.done === true || "text" in first.value;
  return { ids: isText ? ids : [], corpus: { files: corpus.files, documents: all } };
}

/** @throws InputError if a text was stored with another tokenizer than the model's */
async function requireSameTokenizer({ name, folder }: Pick<HeadModel, "name" | "folder">, stored: StoredIds) {
  const own = await tokenizerHash(folder);
  // Whoever has no tokenizer has to trust the ids, as with every other file of them.
  if (own === "none" || own === stored.tokenizer) return;
  throw new InputError(stored.name, `holds ids of another tokenizer than that of ${name}: tokenize the text with it`);
}

/** Files of token ids. */
const idFile = /\.(?:npy|bin)$/i;

/** What a record says of a run: whether the windows of a text begin with the token. */
export async function beginsWindows(
  model: HeadModel,
  { files, stored }: Corpus,
  when: BeginOfText = "auto",
): Promise<boolean> {
  if (stored && when === "auto") return stored.beginOfText.length > 0;
  const ids = beginOfTextIds(model, await optionalTokenizer(model), when);
  return ids.length > 0 && (when !== "auto" || !files.every(({ name }) => idFile.test(name)));
}
