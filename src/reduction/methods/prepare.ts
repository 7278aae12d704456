import { analyzeContexts } from "../../encoding/analyze-contexts.js";
import { productSession } from "../../engine/product-session.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { requireOneStage } from "../../model/head/one-stage.js";
import { type Chain, droppingChain, predictingChain, rotatingChain } from "./chain.js";
import { type DimensionValues, deletionOrder } from "./deletion-order.js";
import { dropCoordinates, type Expansion, keepDirections, predictCoordinates, rotationOf } from "./expansion.js";
import type { Compensation, Metric, Order } from "./orders.js";
import { type HiddenMoments, hiddenMoments, outputMetric } from "./output-moments.js";
import { type GateProgress, trainGates } from "./train-gates.js";
import { type Whitening, whiteningOf } from "./whitening.js";

/** Which reductions are wanted. */
export interface PrepareOptions {
  /** Orders that will be asked for: each costs a pass over the text or less, `gates` a training. */
  readonly orders: readonly Order[];
  /** Of `rotation`. Default fisher. */
  readonly metric?: Metric | undefined;
  /** Seed of the random order and of the gates. Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of every context that a rotation is fitted on. */
  readonly onProgress?: ((contexts: number) => void) | undefined;
  /** Told of every step that gates are trained. */
  readonly onGates?: ((progress: GateProgress) => void) | undefined;
}

/** All reductions of one head by one text: what is measured of the text once, whatever is then deleted. */
export interface Reductions {
  /** Those that can be asked for. */
  readonly orders: readonly Order[];
  readonly moments: HiddenMoments;
  readonly whitening: Whitening;
  /** A and the saliencies, where an order goes by them. */
  readonly values: DimensionValues | undefined;
  /** What someone who uses them should know. */
  readonly warnings: readonly string[];
  /** Coordinates in the order in which they are deleted, [d]; undefined for directions. */
  deleted(order: Order): Int32Array | undefined;
  /**
   * What stands for h with k numbers kept. `refine` has none of its own: it starts from the best of the others.
   * @throws RangeError if the order was not prepared, or k is not from 1 to d
   */
  expansion(order: Order, compensation: Compensation, kept: number): Expansion;
  /** The same at every size. @throws RangeError if the order was not prepared */
  chain(order: Order, compensation: Exclude<Compensation, "refine">): Chain;
}

/** A LayerNorm takes one direction away: that is no news. */
const usuallyStill = 1;

function warningsOf({ contexts, shrinkage, mean: { length: d } }: HiddenMoments, { rank }: Whitening): string[] {
  const shrunk =
    `${contexts} contexts are fewer than 2 d = ${2 * d}: ` +
    `the covariance was shrunk towards its diagonal by ${(100 * shrinkage).toPrecision(2)}%`;
  const singular =
    `the fitting text moves the hidden states in ${rank} of ${d} directions only: their covariance is singular, ` +
    "and what other text does in the other directions was not seen; fit to more text";
  return [...(shrinkage > 0 ? [shrunk] : []), ...(rank < d - usuallyStill ? [singular] : [])];
}

/**
 * Measures a text once for all reductions of a head by it: moments of h, the directions of a rotation, slopes and saliency where an
 * order needs them.
 * @param contexts hidden states that the reductions are fitted on
 * @throws InputError if the slopes cannot be fitted to them, or gates meet logits that are not finite; the signal's reason when it is aborted
 */
export async function prepareReductions(
  model: HeadModel,
  contexts: StoredContexts,
  { orders, metric = "fisher", seed = 0, signal, onProgress, onGates }: PrepareOptions,
): Promise<Reductions> {
  requireOneStage(model, "reduced");
  const subject = { head: model.head, engine: model.engine, contexts };
  const d = model.hiddenSize;
  const moments = await hiddenMoments(subject);
  const { whitening, rotation } = await directions();
  signal?.throwIfAborted();
  const needsSlopes = orders.some((order) => order === "saliency" || order === "slope" || order === "variance");
  const analysis = needsSlopes ? await analyzeContexts(model, contexts, signal) : undefined;
  const values = analysis && { slopes: analysis.encoding.slopes, saliency: analysis.sparsity.saliency, moments };
  const deletions = new Map<Order, Int32Array>();
  const dropping = new Map<Order, Chain>();
  for (const order of orders) {
    if (order === "gates") {
      deletions.set(order, await trainGates(subject, moments, { seed, signal, onProgress: onGates }));
    } else if (order === "random") deletions.set(order, deletionOrder(order, { ...noValues(d), moments }, seed));
    else if (order !== "rotation") deletions.set(order, deletionOrder(order, values!, seed));
  }
  return {
    ...{ orders, moments, whitening, values },
    warnings: warningsOf(moments, whitening),
    deleted: (order) => deletions.get(order),
    expansion(order, compensation, kept) {
      if (!(Number.isInteger(kept) && kept >= 1 && kept <= d)) {
        throw new RangeError(`${kept} dimensions cannot be kept of ${d}`);
      }
      if (order === "rotation" && rotation !== undefined) return keepDirections(rotation, kept);
      const keep = deletionsBy(order)
        .slice(d - kept)
        .sort();
      if (compensation === "none") return dropCoordinates(d, keep);
      if (compensation === "mean") return dropCoordinates(d, keep, moments.mean);
      return predictCoordinates(d, keep, moments);
    },
    chain(order, compensation) {
      if (order === "rotation" && rotation !== undefined) return rotatingChain(rotation);
      const keep = deletionsBy(order).slice().reverse();
      if (compensation === "least-squares") return predictingChain(keep, moments);
      const dropped = dropping.get(order) ?? droppingChain(keep);
      dropping.set(order, dropped);
      return compensation === "mean" ? { ...dropped, base: moments.mean } : dropped;
    },
  };

  function deletionsBy(order: Order): Int32Array {
    const deleted = deletions.get(order);
    if (deleted === undefined) throw new RangeError(`order ${order} was not prepared`);
    return deleted;
  }

  async function directions() {
    const { product, release } = await productSession(model.engine);
    try {
      const whitening = await whiteningOf(moments, product);
      if (!orders.includes("rotation")) return { whitening };
      const inMetric = await outputMetric(subject, metric, { signal, onProgress });
      return { whitening, rotation: await rotationOf(whitening, inMetric, product) };
    } finally {
      await release();
    }
  }
}

function noValues(d: number) {
  return { slopes: new Float64Array(d), saliency: new Float64Array(d) };
}
