import { Tokenizer } from "@huggingface/tokenizers";

/** The part of @huggingface/tokenizers that is used; its own types can't be resolved by Node's rules. */
export interface TokenizerLibrary {
  /** An id is undefined where the vocabulary has neither the token nor one for the unknown. */
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  readonly normalizer: ((text: string) => string) | null;
  /** A Sequence has its steps in `tokenizers`. */
  readonly pre_tokenizer: { tokenizers?: { pre_tokenize(words: string[]): string[] }[] } | null;
  /** Words to tokens. */
  readonly model: {
    (words: string[]): string[];
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token_id: number | undefined;
  };
}

/** @param file a parsed tokenizer.json  @throws Error of the library's own if the file is not to its liking */
export function openTokenizerLibrary(file: object, config: object): TokenizerLibrary {
  return new Tokenizer(file, config) as TokenizerLibrary;
}
