import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { type HeadModel, optionalTokenizer } from "./head-model.js";

/** What tokens are called, where no text has to be tokenised. */
export type TokenNames = Pick<Tokenizer, "vocabSize" | "produces" | "tokenText">;

/** The model's tokenizer, or for a model that has none, every row of E by its id: `#262`. */
export async function tokenNames(model: HeadModel): Promise<Tokenizer | TokenNames> {
  const { vocabSize } = model;
  const tokenizer = await optionalTokenizer(model);
  return tokenizer ?? { vocabSize, produces: (id) => id >= 0 && id < vocabSize, tokenText: (id) => `#${id}` };
}
