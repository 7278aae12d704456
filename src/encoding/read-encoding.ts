import { gramSession } from "../engine/gram-session.js";
import { productSession } from "../engine/product-session.js";
import { createProducts } from "../engine/products.js";
import { InputError } from "../errors.js";
import { type HeadModel, optionalTokenizer } from "../model/head/head-model.js";
import { readFinalNorm } from "../model/layers/constant-direction.js";
import type { Model } from "../model/model.js";
import { matrix } from "../tensor/matrix.js";
import { readTensor } from "../tensor/safetensors/safetensors.js";
import type { Analysis } from "./analysis.js";
import type { Collected } from "./collected.js";
import { encode } from "./encode.js";

/** Options of what is read off the sums of a pass. */
export interface ReadEncodingOptions {
  /** Seed of the random choices: dimensions of the sparsity curve, windows for the interval of R2. Default 0. */
  seed?: number | undefined;
}

/**
 * Reads everything off the sums of a pass over a text (METHOD.md sections 1 and 2): the regression and how sure it is, the
 * theory, the sparsity. The second half of `analyze`; the same statistics give the same numbers. Without a tokenizer,
 * tokens go by their ids and no row of E is taken for padding.
 * @param model with its layers' description, where the built-in prior of its last norm is to be read too
 * @param collected what `collectText` or `collectHidden` gave, or statistics that were merged; what else they gave is kept
 * as a description
 * @throws InputError if the regression is impossible or a number is not finite
 */
export async function readEncoding(
  model: HeadModel & Partial<Pick<Model, "description">>,
  collected: Pick<Collected, "statistics"> & Partial<Collected>,
  { seed = 0 }: ReadEncodingOptions = {},
): Promise<Analysis> {
  const started = performance.now();
  checkRegressionPossible(model);
  const { statistics, pass } = collected;
  const text = collected.text ?? { files: [], contextLength: undefined, beginOfText: false };
  const { name, modelType, vocabSize, hiddenSize, head, dtype, engine } = model;
  const tokenizer = await optionalTokenizer(model);
  const embedding = matrix(vocabSize, hiddenSize, await readTensor(head.weight));
  const outputBias = head.bias && (await readTensor(head.bias));
  const finalNorm = model.description && (await readFinalNorm(model.description));
  const allIds = Int32Array.from({ length: vocabSize }, (_, id) => id);
  const ids = allIds.filter((id) => tokenizer?.produces(id) ?? true);
  const { gram, release } = await gramSession(engine);
  const products = await createProducts(engine, hiddenSize);
  const { product, release: releaseProduct } = await productSession(engine);
  try {
    const results = await encode({
      statistics,
      embedding,
      outputBias,
      normBias: finalNorm?.bias,
      tokenIds: ids,
      seed,
      gram,
      weighted: products.back,
      product,
    });
    const passSeconds = pass?.seconds;
    const seconds = { pass: passSeconds, total: (passSeconds ?? 0) + (performance.now() - started) / 1000 };
    return {
      model: {
        name,
        modelType,
        vocabSize,
        hiddenSize,
        tied: head.tied,
        hasOutputBias: head.bias !== undefined,
        paddingRows: vocabSize - ids.length,
        dtype,
      },
      corpus: {
        ...text,
        windows: text.contextLength === undefined ? undefined : statistics.windows,
        contexts: statistics.contexts,
      },
      tokens: Array.from(allIds, (id) => tokenizer?.tokenText(id) ?? `#${id}`),
      statistics,
      ...results,
      seed,
      threads: engine.threads,
      seconds,
      tokensPerSecond: pass?.tokensPerSecond,
    };
  } finally {
    await Promise.all([products.release(), release(), releaseProduct()]);
  }
}

/** @throws InputError if the model has too few tokens for its dimensions */
export function checkRegressionPossible({ name, vocabSize, hiddenSize }: HeadModel): void {
  if (vocabSize >= hiddenSize + 2) return;
  throw new InputError(
    name,
    `has V = ${vocabSize} tokens and d = ${hiddenSize}; a regression on d dimensions needs V >= d + 2`,
  );
}
