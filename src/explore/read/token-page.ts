import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import { transform } from "../../model/head/head-transform.js";
import type { Model } from "../../model/model.js";
import { fittingText } from "../../steering/solve/problem/fitting-text.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import type { Passage, TokenFigure } from "../figures.js";
import type { ReadText } from "./read-text.js";

/** Neighbours and passages listed, and tokens shown before and behind a place. */
const neighbours = 12;
const passages = 12;
const shownBefore = 24;
const shownAfter = 8;
const blockContexts = 4096;

/** All that is known of one token. @param prior of all tokens, where the model has one */
export async function tokenPage(
  model: Model,
  { analysis, contexts }: ReadText,
  prior: Float64Array | undefined,
  tokenizer: Tokenizer | undefined,
  id: number,
  signal: AbortSignal,
): Promise<TokenFigure> {
  const { encoding, statistics, tokens } = analysis;
  const { hiddenSize: d } = model;
  const rows = await readTensor(model.head.weight);
  const mean = new Float64Array(d);
  for (const one of encoding.tokenIds) {
    for (let i = 0; i < d; i++) mean[i]! += rows[one * d + i]! / encoding.tokenIds.length;
  }
  const own = rows.subarray(id * d, (id + 1) * d);
  const probabilities = await probabilitiesOf(model, contexts, id, signal);
  const textOf = (ids: ArrayLike<number>) =>
    tokenizer?.decode(Array.from(ids).filter(tokenizer.produces)) ?? Array.from(ids, (one) => `#${one}`).join(" ");
  return {
    ...{ name: "token", id, text: tokens[id] ?? `#${id}` },
    probability: statistics.sumProbability[id]! / statistics.contexts,
    frequency: statistics.tokenCounts[id]! / statistics.contexts,
    fitted: Math.exp(-encoding.slopes.reduce((sum, slope, i) => sum + slope * own[i]!, encoding.intercept)),
    contributions: Float32Array.from(encoding.slopes, (slope, i) => slope * (own[i]! - mean[i]!)),
    base: encoding.slopes.reduce((sum, slope, i) => sum + slope * mean[i]!, encoding.intercept),
    neighbours: nearest(rows, d, id, encoding.tokenIds).map((one) => ({ ...one, text: tokens[one.id] ?? "" })),
    passages: likeliestPlaces(probabilities).map((context) =>
      passageAt(contexts, context, probabilities[context]!, id, textOf),
    ),
    prior: prior ? prior[id]! - logSum(prior, encoding.tokenIds) : null,
  };
}

/** p of one token in every context, [N]. */
async function probabilitiesOf(
  { head, engine }: Model,
  contexts: ReadText["contexts"],
  id: number,
  signal: AbortSignal,
): Promise<Float64Array> {
  const { logNormalizer } = await fittingText({ head, engine, contexts }, { signal });
  const { rows, biases } = await readHeadRows(head, [id]);
  const d = head.hiddenSize;
  const found = new Float64Array(contexts.count);
  for (let start = 0; start < contexts.count; start += blockContexts) {
    signal.throwIfAborted();
    const end = Math.min(contexts.count, start + blockContexts);
    const hidden = await contexts.read(start, end);
    for (let t = start; t < end; t++) {
      let z = biases[0]!;
      for (let i = 0; i < d; i++) z += rows[i]! * hidden[(t - start) * d + i]!;
      found[t] = Math.exp(transform(head.transform, z).value - logNormalizer[t]!);
    }
  }
  return found;
}

/** Rows of E by falling cosine with one of them. */
function nearest(rows: Float32Array, d: number, id: number, among: Int32Array): { id: number; cosine: number }[] {
  const own = rows.subarray(id * d, (id + 1) * d);
  const found = Array.from(among, (other) => {
    let [product, square, ownSquare] = [0, 0, 0];
    for (let i = 0; i < d; i++) {
      const value = rows[other * d + i]!;
      product += value * own[i]!;
      square += value * value;
      ownSquare += own[i]! * own[i]!;
    }
    return { id: other, cosine: square > 0 && ownSquare > 0 ? product / Math.sqrt(square * ownSquare) : 0 };
  });
  return found
    .filter((one) => one.id !== id)
    .sort((a, b) => b.cosine - a.cosine || a.id - b.id)
    .slice(0, neighbours);
}

function likeliestPlaces(probabilities: Float64Array): number[] {
  return Array.from(probabilities.keys())
    .sort((a, b) => probabilities[b]! - probabilities[a]! || a - b)
    .slice(0, passages);
}

/** The window's text around a context: what is predicted stands behind it. */
function passageAt(
  { tokenIds, windowStarts }: ReadText["contexts"],
  context: number,
  probability: number,
  id: number,
  textOf: (ids: ArrayLike<number>) => string,
): Passage {
  const window = windowStarts.findLastIndex((start) => start <= context);
  const [start, end] = [windowStarts[window]!, windowStarts[window + 1] ?? tokenIds.length];
  const next = context + 1;
  return {
    context,
    probability,
    before: textOf(tokenIds.subarray(Math.max(start, next - shownBefore), next)),
    next: next < end ? textOf(tokenIds.subarray(next, next + 1)) : "",
    after: textOf(tokenIds.subarray(Math.min(end, next + 1), Math.min(end, next + 1 + shownAfter))),
    hit: next < end && tokenIds[next] === id,
  };
}

function logSum(values: Float64Array, ids: Int32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const id of ids) largest = Math.max(largest, values[id]!);
  let sum = 0;
  for (const id of ids) sum += Math.exp(values[id]! - largest);
  return largest + Math.log(sum);
}
