import { float32Output } from "../../engine/engine.js";
import { productSession } from "../../engine/product-session.js";
import { InputError } from "../../errors.js";
import { type Random, randomStream } from "../../linalg/random.js";
import { drawer, gather } from "./context-batches.js";
import { descendOpenGates, type MovingGates } from "./gate-descent.js";
import { gateGraph } from "./gate-graph.js";
import { gatedPrediction } from "./gated-prediction.js";
import { hardConcrete, openProbability } from "./hard-concrete.js";
import type { HiddenMoments, TextSubject } from "./output-moments.js";

/** How gates are trained. */
export interface GateOptions {
  /** Seed of the gates and of the contexts that are drawn. Default 0. */
  readonly seed?: number | undefined;
  /** Steps from all gates open to none. Default 300. */
  readonly steps?: number | undefined;
  /** Contexts of each step. Default 256. */
  readonly batch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: GateProgress) => void) | undefined;
}

/** How far the training of gates is. */
export interface GateProgress {
  readonly step: number;
  readonly steps: number;
}

const defaultGateSteps = 300;
/** log alpha of a gate that is open in 97 of 100 draws: at it all start. */
const startLocation = 2;
/** Share of the steps in which none has to shut yet: what each is worth has to be learnt first. */
const learning = 0.2;

/**
 * The order in which gates on the d coordinates shut while what being open costs rises (METHOD.md section 4): hard-concrete gates
 * (Louizos et al., ICLR 2018; on encoder outputs: Zhang et al., "On sparsifying encoder outputs in sequence-to-sequence models", 2020),
 * trained to minimise mean KL(original || gated) + penalty * sum_i P(gate i open). A coordinate that is shut counts as its best linear
 * prediction from the others. The penalty is at each step the one that leaves as many open as the step wants: from d to none in one
 * training, whose order serves every k.
 * @returns coordinates from the first to be deleted to the last, [d]; the same seed gives the same
 * @throws InputError if logits are not finite; the signal's reason when it is aborted
 */
export async function trainGates(
  subject: TextSubject,
  moments: HiddenMoments,
  { seed = 0, steps = defaultGateSteps, batch = 256, signal, onProgress }: GateOptions = {},
): Promise<Int32Array> {
  const { head, engine, contexts } = subject;
  const d = head.hiddenSize;
  const { scale, correlation } = standardised(moments);
  const moving: MovingGates = {
    locations: new Float64Array(d).fill(startLocation),
    mean: new Float64Array(d),
    square: new Float64Array(d),
  };
  const openFor = new Float64Array(d);
  const draw = drawer(contexts.count, batch, randomStream(seed, 0));
  const noise = mirrored(d, randomStream(seed, 1));
  const session = await engine.load(gateGraph(head, engine, moments.mean, scale), { oneAtATime: true });
  const { product, release } = await productSession(engine);
  try {
    for (let step = 1; step <= steps; step++) {
      signal?.throwIfAborted();
      const hidden = await gather(contexts, draw());
      const n = hidden.length / d;
      const uniforms = noise();
      const gates = Array.from(moving.locations, (location, i) => hardConcrete(location, uniforms[i]!));
      const values = Float64Array.from(gates, ({ value }) => value);
      const prediction = await gatedPrediction(correlation, values, product);
      const outputs = await session.run({
        hidden: { type: "float32", data: hidden, dims: [n, d] },
        map: { type: "float32", data: Float32Array.from(prediction.map), dims: [d, d] },
      });
      const byGate = await prediction.gradient(Float64Array.from(float32Output(outputs, "map_gradient")));
      if (!byGate.every(Number.isFinite)) {
        throw new InputError("logits", "of the head are not finite; weights overflow float32");
      }
      const gradient = byGate.map((value, i) => (value * gates[i]!.slope) / n);
      const shutting = Math.max(0, step / steps - learning) / (1 - learning);
      descendOpenGates(moving, gradient, step, d * (1 - shutting));
      for (const [i, location] of moving.locations.entries()) openFor[i]! += openProbability(location).value;
      onProgress?.({ step, steps });
    }
  } finally {
    await session.release();
    await release();
  }
  return Int32Array.from(Array.from(openFor.keys()).sort((a, b) => openFor[a]! - openFor[b]! || a - b));
}

/** Uniform numbers, [d], and the next time 1 minus them: gates drawn in such pairs tell more than as many by themselves. */
function mirrored(d: number, random: Random): () => Float64Array {
  let last: Float64Array | undefined;
  return () => {
    if (last === undefined) {
      last = Float64Array.from({ length: d }, random);
      return last;
    }
    const mirror = last.map((uniform) => 1 - uniform);
    last = undefined;
    return mirror;
  };
}

/** Standard deviations of h, 1 where it does not move, [d], and its correlations, [d, d]. */
function standardised({ mean: { length: d }, covariance }: HiddenMoments) {
  const scale = Float64Array.from({ length: d }, (_, i) => Math.sqrt(covariance[i * d + i]!) || 1);
  const correlation = covariance.map((value, at) => value / (scale[Math.floor(at / d)]! * scale[at % d]!));
  return { scale, correlation };
}
