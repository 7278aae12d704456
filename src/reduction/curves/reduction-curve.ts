import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { ChainHead } from "../measure/chain-graph.js";
import { measureChains, type PointMeasures } from "../measure/measure-heads.js";
import { headMultiplications } from "../measure/multiplications.js";
import type { Chain } from "../methods/chain.js";
import { biasOf, headTimes } from "../methods/head-of-expansion.js";
import type { Compensation, Order } from "../methods/orders.js";
import type { Reductions } from "../methods/prepare.js";
import { keptFor } from "../plan/reduction-plan.js";
import type { CurvePoint } from "../reduction-run.js";

/** 0, 5, 10, ... 95% deleted. */
export const curveFractions = Array.from({ length: 20 }, (_, step) => step / 20);

/** An order, what makes up for what is deleted and, of two stages, m. */
export type CurveMethod = readonly [Order, Exclude<Compensation, "refine">, number?];

/** Every order of coordinates with what makes up for them without optimisation, and directions. */
const curveMethods: readonly CurveMethod[] = [
  ...(["saliency", "slope", "variance", "gates", "random"] as const).flatMap((order) =>
    (["none", "mean", "least-squares"] as const).map((compensate): CurveMethod => [order, compensate]),
  ),
  ["rotation", "least-squares"],
];

/** Bytes of weights held and measured at once: each F in memory and in the engine. */
const maxBytes = 1.5e9;

/** Which methods a curve measures. Default: all of the orders that were prepared. */
export interface CurveOptions {
  readonly methods?: readonly CurveMethod[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Points measured so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** m of two stages in a curve, where none was asked for. */
export function usualRescore(vocabSize: number): number {
  return Math.max(1, Math.round(vocabSize / 16));
}

/** Of the orders that were prepared, and of the rotation two stages too. */
export function usualMethods({ orders }: Reductions, rescore: number): CurveMethod[] {
  const own = curveMethods.filter(([order]) => orders.includes(order));
  return orders.includes("rotation") ? [...own, ["rotation", "least-squares", rescore]] : own;
}

/**
 * What is lost at every share deleted, by every method, on a text that nothing was fitted to.
 * @param reductions prepared for the methods' orders
 * @throws InputError if logits are not finite; RangeError if an order was not prepared; the signal's reason when it is aborted
 */
export async function reductionCurve(
  model: HeadModel,
  reductions: Reductions,
  check: StoredContexts,
  { methods = usualMethods(reductions, usualRescore(model.vocabSize)), signal, onProgress }: CurveOptions = {},
): Promise<CurvePoint[]> {
  const { head, hiddenSize: d } = model;
  const kept = curveFractions.map((fraction) => keptFor({ fraction }, d));
  const sizes = [...new Set(kept)].sort((a, b) => a - b);
  const total = methods.length * kept.length;
  const left = chainsOf(methods);
  const points: CurvePoint[] = [];
  while (left.length > 0) {
    const group = left.splice(0, Math.max(1, Math.floor(maxBytes / (8 * head.vocabSize * (d + sizes.length)))));
    signal?.throwIfAborted();
    const chains = await chainHeads(model, reductions, group, sizes);
    const share = (group.length / (group.length + left.length)) * (total - points.length);
    const measured = await measureChains(model, chains, check, {
      signal,
      onProgress: (contexts) => onProgress?.(points.length + Math.floor((share * contexts) / check.count), total),
    });
    for (const [at, chain] of group.entries()) {
      const rank = chains[at]!.chain.rank;
      for (const { method, stage } of chain.methods) {
        const own = measured[at]!.slice(stage * sizes.length, (stage + 1) * sizes.length);
        for (const [place, size] of kept.entries()) {
          points.push(curvePoint(head, method, { rank, place, size, measures: own[sizes.indexOf(size)]! }));
        }
      }
    }
  }
  return points;
}

function curvePoint(
  head: Head,
  [order, compensate, rescore]: CurveMethod,
  { rank, place, size, measures }: { rank: number; place: number; size: number; measures: PointMeasures },
): CurvePoint {
  const work = { kept: Math.min(rank, size), directions: order === "rotation", rows: rescore };
  return {
    ...{ order, compensate, ...(rescore === undefined ? {} : { rescore }) },
    ...{ fraction: curveFractions[place]!, deleted: head.hiddenSize - size },
    multiplications: headMultiplications(head, work).after,
    ...measures,
  };
}

/** Methods that are measured on one chain: by itself, and as a preview with each m. */
interface MeasuredChain {
  readonly order: Order;
  readonly compensate: Exclude<Compensation, "refine">;
  readonly rescore: number[];
  /** And of which part of the chain's measures each is: 0 by itself, then with each m. */
  readonly methods: { method: CurveMethod; stage: number }[];
}

function chainsOf(methods: readonly CurveMethod[]): MeasuredChain[] {
  const chains = new Map<string, MeasuredChain>();
  for (const method of methods) {
    const [order, compensate, m] = method;
    const key = `${order} ${compensate}`;
    const chain = chains.get(key) ?? { order, compensate, rescore: [], methods: [] };
    chains.set(key, chain);
    if (m !== undefined && !chain.rescore.includes(m)) chain.rescore.push(m);
    chain.methods.push({ method, stage: m === undefined ? 0 : 1 + chain.rescore.indexOf(m) });
  }
  return [...chains.values()];
}

/** One F for all methods that share a basis. */
async function chainHeads(
  model: HeadModel,
  reductions: Reductions,
  chains: readonly MeasuredChain[],
  sizes: readonly number[],
): Promise<ChainHead[]> {
  const factors = new Map<Float64Array, Float32Array>();
  const heads: ChainHead[] = [];
  for (const { order, compensate, rescore } of chains) {
    const chain = reductions.chain(order, compensate);
    const head = await chainHead(model, chain, sizes, factors.get(chain.basis));
    factors.set(chain.basis, head.factor);
    heads.push({ ...head, rescore });
  }
  return heads;
}

/** A chain with the head's products: F = E basis and b + E base. @param factor F, where another chain of the same basis has it */
export async function chainHead(
  model: HeadModel,
  chain: Chain,
  sizes: readonly number[],
  factor?: Float32Array | undefined,
): Promise<ChainHead> {
  const bias = await biasOf(model.head);
  for (const [w, value] of (await headTimes(model, Float32Array.from(chain.base), 1)).entries()) bias[w]! += value;
  return { chain, factor: factor ?? (await headTimes(model, Float32Array.from(chain.basis), chain.rank)), bias, sizes };
}
