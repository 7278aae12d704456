import type { Tokenizer } from "../corpus/tokenizer/tokenizer.js";
import { InputError } from "../errors.js";
import type { Head } from "../model/head/head.js";
import { type HeadModel, optionalTokenizer } from "../model/head/head-model.js";
import { previewRows } from "../model/head/preview-rows.js";
import { readIdMap } from "../model/id-map.js";
import { chosenRows } from "../tensor/chosen-rows.js";
import { tensorRows } from "../tensor/tensor-rows.js";

const advice = "only models of one vocabulary can be compared";

/** What two models have in common. */
export interface SharedVocabulary {
  /** That of the one that has one, or undefined: token ids need none. */
  readonly tokenizer: Tokenizer | undefined;
  readonly vocabSize: number;
  /** Their heads on those tokens: where one matrix has more rows than the other, rows of padding are left out of both. */
  readonly heads: { readonly a: Head; readonly b: Head };
  /** What the model's own id of each token is, of one whose vocabulary the other's was trimmed from. */
  readonly ownIds?: { readonly a?: Int32Array; readonly b?: Int32Array } | undefined;
}

/**
 * Checks that an id means the same to both models: the same text for every id, and a row of E for it. Matrices padded to
 * different sizes are compared on the tokens that the tokenizer has.
 * @throws InputError naming the first difference
 */
export async function sharedVocabulary(modelA: HeadModel, modelB: HeadModel): Promise<SharedVocabulary> {
  const [a, b] = await Promise.all([optionalTokenizer(modelA), optionalTokenizer(modelB)]);
  const trimmed = await trimmedVocabulary(modelA, modelB, a, b);
  if (trimmed !== undefined) return trimmed;
  const tokenizer = a ?? b;
  const vocabSize = sharedSize(modelA, modelB, a, b);
  if (a !== undefined && b !== undefined) {
    for (let id = 0; id < vocabSize; id++) {
      const [textA, textB] = [described(a, id), described(b, id)];
      if (textA !== textB) {
        throw new InputError(modelB.name, `its token ${id} is ${textB} and that of ${modelA.name} ${textA}; ${advice}`);
      }
    }
  }
  return {
    tokenizer,
    vocabSize,
    heads: { a: firstRows(modelA.head, vocabSize), b: firstRows(modelB.head, vocabSize) },
  };
}

/**
 * Of a model and one whose vocabulary was trimmed from it: the tokens that stayed, in their new order. Both heads are cut to them,
 * so that the original's distribution is renormalised.
 * @returns undefined if neither is the other's
 */
async function trimmedVocabulary(
  modelA: HeadModel,
  modelB: HeadModel,
  a: Tokenizer | undefined,
  b: Tokenizer | undefined,
): Promise<SharedVocabulary | undefined> {
  if (a === undefined || b === undefined || a.vocabSize === b.vocabSize) return undefined;
  const [small, large] = a.vocabSize < b.vocabSize ? (["a", "b"] as const) : (["b", "a"] as const);
  const models = { a: modelA, b: modelB };
  const tokenizers = { a, b };
  // Rows of padding that a config names have an old id too, after those of all tokens.
  const ids = (await readIdMap(models[small].folder))?.subarray(0, tokenizers[small].vocabSize);
  if (ids === undefined || ids.length !== tokenizers[small].vocabSize) return undefined;
  for (const [id, old] of ids.entries()) {
    const [now, before] = [described(tokenizers[small], id), described(tokenizers[large], old)];
    if (old < models[large].vocabSize && now === before) continue;
    throw new InputError(
      models[small].name,
      `was trimmed from another model than ${models[large].name}: its token ${id} is ${now}, and ${old} there ${before}; ${advice}`,
    );
  }
  const cut = { [small]: firstRows(models[small].head, ids.length), [large]: rowsOf(models[large].head, ids) };
  return {
    tokenizer: tokenizers[small],
    vocabSize: ids.length,
    heads: cut as unknown as SharedVocabulary["heads"],
    ownIds: { [large]: ids },
  };
}

function rowsOf(head: Head, ids: Int32Array): Head {
  const { weight, bias, preview } = head;
  return {
    ...head,
    weight: chosenRows(weight, ids),
    bias: bias && chosenRows(bias, ids),
    preview: preview && previewRows(preview, ids),
    vocabSize: ids.length,
  };
}

function sharedSize(modelA: HeadModel, modelB: HeadModel, a: Tokenizer | undefined, b: Tokenizer | undefined): number {
  if (modelA.vocabSize === modelB.vocabSize) return modelA.vocabSize;
  const sizes = `has ${modelB.vocabSize} rows in E and ${modelA.name} ${modelA.vocabSize}`;
  if (a === undefined && b === undefined) {
    throw new InputError(modelB.name, `${sizes}, and no tokenizer.json says which of them are padding; ${advice}`);
  }
  const tokens = Math.max(a?.vocabSize ?? 0, b?.vocabSize ?? 0);
  if (tokens > Math.min(modelA.vocabSize, modelB.vocabSize)) {
    throw new InputError(modelB.name, `${sizes}, fewer than the ${tokens} tokens of their tokenizer; ${advice}`);
  }
  return tokens;
}

function firstRows(head: Head, count: number): Head {
  const { weight, bias, preview, vocabSize } = head;
  if (count === vocabSize) return head;
  // A bias is a column of one number a row.
  const biases = bias && { ...tensorRows({ ...bias, shape: [vocabSize, 1] }, 0, count), shape: [count] };
  const ids = Int32Array.from({ length: count }, (_, id) => id);
  return {
    ...head,
    weight: tensorRows(weight, 0, count),
    bias: biases,
    preview: preview && previewRows(preview, ids),
    vocabSize: count,
  };
}

function described(tokenizer: Tokenizer, id: number): string {
  return tokenizer.produces(id) ? JSON.stringify(tokenizer.tokenText(id)) : "none";
}
