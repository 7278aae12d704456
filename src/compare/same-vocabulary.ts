import type { Tokenizer } from "../corpus/tokenizer/tokenizer.js";
import { InputError } from "../errors.js";
import { optionalTokenizer } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";

const advice = "only models of one vocabulary can be compared";

/**
 * Checks that an id means the same to both models: as many rows in E, and the same text for every id.
 * @returns the tokenizer that serves both, that of the one that has one, or undefined: token ids need none
 * @throws InputError naming the first difference
 */
export async function sharedTokenizer(modelA: Model, modelB: Model): Promise<Tokenizer | undefined> {
  const { vocabSize } = modelA;
  if (modelB.vocabSize !== vocabSize) {
    throw new InputError(modelB.name, `has V = ${modelB.vocabSize} tokens and ${modelA.name} ${vocabSize}; ${advice}`);
  }
  const [a, b] = await Promise.all([optionalTokenizer(modelA), optionalTokenizer(modelB)]);
  if (a === undefined || b === undefined) return a ?? b;
  for (let id = 0; id < vocabSize; id++) {
    const [textA, textB] = [described(a, id), described(b, id)];
    if (textA !== textB) {
      throw new InputError(modelB.name, `its token ${id} is ${textB} and that of ${modelA.name} ${textA}; ${advice}`);
    }
  }
  return a;
}

function described(tokenizer: Tokenizer, id: number): string {
  return tokenizer.produces(id) ? JSON.stringify(tokenizer.tokenText(id)) : "none";
}
