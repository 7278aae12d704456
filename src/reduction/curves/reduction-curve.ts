import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { ChainHead } from "../measure/chain-graph.js";
import { measureChains } from "../measure/measure-heads.js";
import type { Chain } from "../methods/chain.js";
import { biasOf, headTimes } from "../methods/head-of-expansion.js";
import type { Compensation, Order } from "../methods/orders.js";
import type { Reductions } from "../methods/prepare.js";
import { keptFor } from "../plan/reduction-plan.js";
import type { CurvePoint } from "../reduction-run.js";

/** 0, 5, 10, ... 95% deleted. */
export const curveFractions = Array.from({ length: 20 }, (_, step) => step / 20);

/** Every order of coordinates with what makes up for them without optimisation, and directions. */
export const curveMethods: readonly (readonly [Order, Exclude<Compensation, "refine">])[] = [
  ...(["saliency", "slope", "variance", "gates", "random"] as const).flatMap((order) =>
    (["none", "mean", "least-squares"] as const).map((compensation) => [order, compensation] as const),
  ),
  ["rotation", "least-squares"],
];

/** Bytes of weights held and measured at once: each F in memory and in the engine. */
const maxBytes = 1.5e9;

/** Which methods a curve measures. Default: all. */
export interface CurveOptions {
  readonly methods?: typeof curveMethods;
  readonly signal?: AbortSignal | undefined;
  /** Points measured so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
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
  { methods = curveMethods, signal, onProgress }: CurveOptions = {},
): Promise<CurvePoint[]> {
  const { head, hiddenSize: d } = model;
  const kept = curveFractions.map((fraction) => keptFor({ fraction }, d));
  const sizes = [...new Set(kept)].sort((a, b) => a - b);
  const total = methods.length * kept.length;
  const left = [...methods];
  const points: CurvePoint[] = [];
  while (left.length > 0) {
    const group = left.splice(0, Math.max(1, Math.floor(maxBytes / (8 * head.vocabSize * (d + sizes.length)))));
    signal?.throwIfAborted();
    const chains = await chainHeads(model, reductions, group, sizes);
    const measured = await measureChains(model, chains, check, {
      signal,
      onProgress: (contexts) =>
        onProgress?.(points.length + Math.floor((group.length * kept.length * contexts) / check.count), total),
    });
    for (const [at, [order, compensate]] of group.entries()) {
      for (const [place, fraction] of curveFractions.entries()) {
        const size = kept[place]!;
        points.push({ order, compensate, fraction, deleted: d - size, ...measured[at]![sizes.indexOf(size)]! });
      }
    }
  }
  return points;
}

/** One F for all methods that share a basis. */
async function chainHeads(
  model: HeadModel,
  reductions: Reductions,
  methods: typeof curveMethods,
  sizes: readonly number[],
): Promise<ChainHead[]> {
  const factors = new Map<Float64Array, Float32Array>();
  const heads: ChainHead[] = [];
  for (const [order, compensate] of methods) {
    const chain = reductions.chain(order, compensate);
    const head = await chainHead(model, chain, sizes, factors.get(chain.basis));
    factors.set(chain.basis, head.factor);
    heads.push(head);
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
