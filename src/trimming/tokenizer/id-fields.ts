import { type JsonPath, withNumbers } from "../../tensor/json-numbers.js";

/** Fields of config.json and generation_config.json that hold token ids, alone or in lists. */
const idField = /(?:^|_)token_(?:ids?|index)$/;
const idLists = new Set(["suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "force_words_ids"]);
/** Pairs of a place and an id; and of ids and a bias. */
const pairLists = { forced_decoder_ids: 1, sequence_bias: 0 } as const;

/** Whether a number of a config is a token id, by the names of the fields around it. */
function isTokenId(path: JsonPath): boolean {
  const at = path.findLastIndex((part) => typeof part === "string");
  const name = path[at];
  if (typeof name !== "string") return false;
  if (idField.test(name) || idLists.has(name)) return true;
  if (Object.hasOwn(pairLists, name)) return path[at + 2] === pairLists[name as keyof typeof pairLists];
  return false;
}

/** Token ids that a config names; ids outside the vocabulary, which stand for none, are left out. */
export function configTokenIds(text: string, vocabSize: number): number[] {
  const ids: number[] = [];
  withNumbers(text, {
    number(value, path) {
      if (isTokenId(path) && value >= 0 && value < vocabSize) ids.push(value);
      return value;
    },
  });
  return ids;
}

/** A config with its token ids and its `vocab_size` changed, its text's own or that of its `text_config`. */
export function renumberedConfig(
  text: string,
  idOf: (id: number) => number,
  vocabSize: { readonly before: number; readonly after: number },
): string {
  return withNumbers(text, {
    number(value, path) {
      if (path.at(-1) === "vocab_size" && value === vocabSize.before) return vocabSize.after;
      return isTokenId(path) ? idOf(value) : value;
    },
  });
}

/** tokenizer_config.json: fields with ids, and `added_tokens_decoder`, whose names are ids. */
export function renumberedTokenizerConfig(text: string, idOf: (id: number) => number): string {
  return withNumbers(text, {
    number: (value, path) => (isTokenId(path) ? idOf(value) : value),
    name: (name, path) =>
      path.length === 1 && path[0] === "added_tokens_decoder" && /^\d+$/.test(name) ? String(idOf(Number(name))) : name,
  });
}

/** added_tokens.json, whose every number is an id. */
export function renumberedAddedTokens(text: string, idOf: (id: number) => number): string {
  return withNumbers(text, { number: idOf });
}
