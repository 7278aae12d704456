import type { Engine } from "../../engine/engine.js";
import { createProducts } from "../../engine/products.js";
import type { ModelDescription } from "../../model/architecture.js";
import type { ContextRows } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import { rowToCopy } from "../../model/head/stored-rows.js";
import { constantDirection, readFinalNorm } from "../../model/layers/constant-direction.js";
import { type LargestProduct, largestProduct } from "../../model/layers/largest-product.js";
import { blocksOf, storedType } from "../../tensor/blocks/block-tensor.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { type BanMethod, banMethods } from "../plan/method.js";
import { largestProbabilities } from "../probes/largest-probabilities.js";
import { fittingText, type Watched } from "../solve/problem/fitting-text.js";
import { banRow, type WeightedContexts } from "./ban-rows.js";
import { provenShift, shiftedRows } from "./exact-bans.js";

export interface BannedModel {
  readonly head: Head;
  readonly engine: Engine;
  readonly description: ModelDescription;
}

export interface BanProblem {
  /** Ids, ascending. */
  readonly banned: readonly number[];
  /** Ids of all tokens that the tokenizer produces and no edit changes, ascending. */
  readonly others: Int32Array;
  /** Contexts of text, and of a guard where there is one. */
  readonly fitted: readonly WeightedContexts[];
  readonly probes: ContextRows;
  /** The largest probability that each banned token may have, in any context. */
  readonly bound: number;
}

/** An edit that keeps tokens from ever being likely. */
export interface Ban {
  readonly method: BanMethod;
  readonly change: HeadChange;
  /** The probability of each banned token is at most this: in every context if proven, else in all that were tried. */
  readonly bound: number;
  readonly proven: boolean;
  /** The largest probability of any of them in the probes. */
  readonly worst: number;
}

/** A bound that was measured in float32 holds beyond its last digits. */
const measuring = 1.001;
/** How probes count beside the text in what a combination is fitted to. */
const probeWeight = 0.1;
/** What a bias takes off a logit: float32's smallest number is near exp(-100), and float16 holds it. */
const biasShift = 100;
/** As rounded, a shift of the logit is exact up to this: beyond, some contexts are moved by too little to be told. */
const exactShift = 0.1;
/** A token whose probability stays below this in every probe is not used by the model. */
const unused = 1e-7;

/**
 * Bans tokens by the way with the lowest worst case that the model allows.
 * @param asked take this one, whatever the others would do
 * @throws RangeError if the model does not allow the way asked for, or none keeps the bound
 */
export async function solveBan(
  model: BannedModel,
  problem: BanProblem,
  asked?: BanMethod | undefined,
  watched: Watched = {},
): Promise<Ban> {
  const largest = await largestProduct(model.description);
  const refusals: string[] = [];
  let best: Ban | undefined;
  for (const method of asked === undefined ? banMethods : [asked]) {
    const found = await ways[method](model, problem, largest, watched);
    if (typeof found === "string") {
      refusals.push(`${method}: ${found}`);
      continue;
    }
    const worst = await worstOf(model, problem, found.change, watched);
    const ban = { ...found, method, worst, bound: found.bound ?? worst };
    if (best === undefined || ban.worst < best.worst) best = ban;
    // Nothing is lower than what float32 calls 0.
    if (worst < Number.MIN_VALUE) break;
  }
  return best ?? (await copiedBan(model, problem, refusals, watched));
}

/**
 * Where the head's blocks are too coarse for a row that keeps the bound: another token's blocks as they are.
 * @throws RangeError if none is rare enough
 */
async function copiedBan(
  model: BannedModel,
  problem: BanProblem,
  refusals: readonly string[],
  watched: Watched,
): Promise<Ban> {
  const type = storedType(model.head.weight);
  const coarse = blocksOf(model.head.weight) !== undefined;
  const copied = coarse ? await leastUsedRow(model, problem, problem.bound, watched) : undefined;
  if (copied === undefined || typeof copied === "string") {
    const remedy = coarse ? `; in ${type} rows are coarse: a finer type of the head (--head-type) holds more` : "";
    throw new RangeError(`no way of banning: ${refusals.join("; ")}${remedy}`);
  }
  const worst = await worstOf(model, problem, copied.change, watched);
  return { ...copied, method: "unused", worst, bound: worst * measuring };
}

/** A ban, its bound undefined where only measuring tells; or why there is none of this kind. */
type Found = { readonly change: HeadChange; readonly bound: number | undefined; readonly proven: boolean } | string;
type Way = (
  model: BannedModel,
  problem: BanProblem,
  largest: LargestProduct | undefined,
  watched: Watched,
) => Promise<Found>;

/** What the other ways promise is for rows alone: a bias beside them would pass their bound. */
const hasBias = "the head has a bias, which bans by itself";

const ways: Record<BanMethod, Way> = {
  async bias({ head }, { banned }) {
    if (head.bias === undefined) return "the head has no bias";
    const bias = await readTensorFloat64(head.bias);
    for (const id of banned) bias[id]! -= biasShift;
    return { change: { bias }, bound: undefined, proven: false };
  },

  async constant({ head, engine, description }, { banned, others, fitted, probes, bound }, largest, watched) {
    if (head.bias !== undefined) return hasBias;
    const finalNorm = await readFinalNorm(description);
    const direction = finalNorm && constantDirection(finalNorm);
    if (direction === undefined) return "the layers do not end in a LayerNorm with a bias";
    const products = await createProducts(engine, head.hiddenSize);
    try {
      const { rows } = await readHeadRows(head, banned);
      const scale = head.transform.scale ?? 1;
      const wanted = (await provenShift(head, largest, rows, others, bound)) / scale;
      const texts = [];
      for (const contexts of [...fitted.map((one) => one.contexts), probes]) {
        texts.push(await fittingText({ head, engine, contexts }, watched));
      }
      const { rows: values, off } = await shiftedRows(head.weight, rows, direction, wanted, texts, products);
      if (off > exactShift)
        return `rounded to ${storedType(head.weight)}, the shift of the logit is off by up to ${off.toPrecision(2)}`;
      const proven = largest !== undefined && head.transform.softCap === undefined;
      return {
        change: { rows: { ids: Int32Array.from(banned), values } },
        bound: proven ? bound * Math.exp(exactShift) : undefined,
        proven,
      };
    } finally {
      await products.release();
    }
  },

  async unused(model, problem, _, watched) {
    return (await leastUsedRow(model, problem, unused, watched)) ?? "the model uses every token";
  },

  async combination({ head, engine }, { banned, others, fitted, probes, bound }, largest, watched) {
    if (head.bias !== undefined) return hasBias;
    const all = [...fitted, { contexts: probes, weight: probeWeight }];
    try {
      const found = await banRow({ head, engine, largestProduct: largest }, banned, others, all, bound, watched);
      return { change: repeated(banned, found.row), bound: found.bound, proven: found.proven };
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  },
};

/** The row of the token whose largest probability is the smallest, as it is; undefined if that is not below a limit. */
async function leastUsedRow(
  { head, engine }: BannedModel,
  { banned, others, probes }: BanProblem,
  limit: number,
  watched: Watched,
): Promise<Found | undefined> {
  const largestOf = await largestProbabilities({ head, engine, contexts: probes }, watched);
  const least = others.reduce((best, id) => (largestOf[id]! < largestOf[best]! ? id : best), others[0]!);
  if (!(largestOf[least]! < limit)) return undefined;
  const { biases } = await readHeadRows(head, [least]);
  if (biases[0] !== 0) return "the head has a bias";
  return { change: repeated(banned, await rowToCopy(head.weight, least)), bound: undefined, proven: false };
}

/** One row for every banned token. */
function repeated(banned: readonly number[], row: Float64Array): HeadChange {
  const values = new Float64Array(banned.length * row.length);
  for (let j = 0; j < banned.length; j++) values.set(row, j * row.length);
  return { rows: { ids: Int32Array.from(banned), values } };
}

async function worstOf(
  { head, engine }: BannedModel,
  { banned, probes }: BanProblem,
  change: HeadChange,
  watched: Watched,
): Promise<number> {
  const largest = await largestProbabilities({ head: changedHead(head, change), engine, contexts: probes }, watched);
  return Math.max(...banned.map((id) => largest[id]!));
}
