import type { TokenModel } from "./token-model.js";

/** What the models with a plain list of tokens and ids share. */
export function vocabularyOf(vocab: ReadonlyMap<string, number>): Pick<TokenModel, "idOf" | "size" | "tokens"> {
  return {
    idOf: (token) => vocab.get(token),
    size: vocab.size,
    *tokens() {
      for (const [token, id] of vocab) yield [id, token];
    },
  };
}

/** `<0x0A>` for each byte, as vocabularies with byte fallback have them. */
const byteTokens: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);

const utf8 = new TextEncoder();

/** The ids of a text's bytes; undefined if the vocabulary lacks one of them. */
export function byteIds(text: string, vocab: ReadonlyMap<string, number>): number[] | undefined {
  const ids: number[] = [];
  for (const byte of utf8.encode(text)) {
    const id = vocab.get(byteTokens[byte]!);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}
