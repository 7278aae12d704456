import { float32Output, type Session } from "../../engine/engine.js";
import { seededRandom } from "../../linalg/random.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { drawer, gather } from "./context-batches.js";
import type { TextSubject } from "./output-moments.js";
import { refineGraph } from "./refine-graph.js";
import type { Whitening } from "./whitening.js";

/** How a reduced head is refined by gradient descent. */
export interface RefineOptions {
  /** Steps of gradient descent. Default `defaultSteps`. */
  readonly steps?: number | undefined;
  /** Contexts of each step. Default 1,024. */
  readonly batch?: number | undefined;
  /** Seed of the order in which contexts are drawn. Default 0. */
  readonly seed?: number | undefined;
  /** Largest step of any number of the factor or of the whitened projection. Default: by how far the start is off. */
  readonly rate?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the mean KL of the contexts held out of the fit, nats, at the start, now and then, and at the end. */
  readonly onProgress?: ((progress: RefineProgress) => void) | undefined;
}

/** How far a refinement is, and what it loses by then. */
export interface RefineProgress {
  readonly step: number;
  readonly steps: number;
  readonly heldOutKl: number;
}

export interface Refined {
  readonly head: ReducedHead;
  /** Mean KL of the contexts held out of the fit, before and after, nats. */
  readonly heldOutKl: { readonly before: number; readonly after: number };
  /** The step whose head was the best on them. */
  readonly bestStep: number;
}

/** Of gradient descent: half as many lose 5% more on tiny-books at 30%. */
export const defaultSteps = 600;

/** At the end of the text, whole windows: their contexts are not fitted. */
const heldOutShare = 0.05;
const mostHeldOut = 2048;
/** Times that the contexts held out are measured. */
const looks = 12;
const momentum = 0.9;
const memory = 0.99;
const tiny = 1e-10;
/** Step as a share of the root of the KL at the start, which is how far the logits are off: chosen on tiny-books at 30, 50 and 70%. */
const rateOfMiss = 0.008;
/** Steps in which the rate rises. */
const warmUp = 10;

/**
 * A reduced head improved by minimising mean_t KL(original || reduced) itself (METHOD.md section 4): Adam with a rate that
 * falls to nothing along a cosine. Of all heads looked at, that which is the best on contexts held out of the fit.
 */
export async function refine(
  subject: TextSubject,
  whitening: Whitening,
  start: ReducedHead,
  options: RefineOptions = {},
): Promise<Refined> {
  const { head, engine, contexts } = subject;
  const { steps = defaultSteps, batch = 1024, seed = 0, signal, onProgress } = options;
  const { hiddenSize: d } = head;
  const { kept, coordinates, rescore } = start;
  const split = splitContexts(contexts);
  const random = seededRandom(seed);
  const white = coordinates === undefined ? whitening : undefined;
  const begin = white ? toWhite(start, white) : start;
  const parameters = [
    { name: "factor", values: begin.factor.slice(), dims: [head.vocabSize, kept] },
    { name: "bias", values: begin.bias.slice(), dims: [head.vocabSize] },
    ...(white ? [{ name: "projection", values: begin.projection!.slice(), dims: [kept, white.rank] }] : []),
  ].map((parameter) => ({
    ...parameter,
    mean: new Float32Array(parameter.values.length),
    square: new Float32Array(parameter.values.length),
  }));
  const graphOf = (gradients: boolean) => refineGraph(head, engine, kept, { whitening: white, rescore, gradients });
  const session = await engine.load(graphOf(true), { oneAtATime: true });
  const looking = await engine.load(graphOf(false), { oneAtATime: true });
  const feeds = (hidden: Float32Array) => ({
    hidden: { type: "float32" as const, data: hidden, dims: [hidden.length / d, d] },
    ...(coordinates && {
      parts: { type: "float32" as const, data: select(hidden, d, coordinates), dims: [hidden.length / d, kept] },
    }),
    ...Object.fromEntries(
      parameters.map(({ name, values, dims }) => [name, { type: "float32" as const, data: values, dims }]),
    ),
  });
  const heldOutKl = async () => {
    let sum = 0;
    for (let at = split.fitted; at < contexts.count; at += batch) {
      const hidden = await contexts.read(at, Math.min(at + batch, contexts.count));
      for (const kl of float32Output(await looking.run(feeds(hidden)), "kl")) sum += kl;
    }
    return sum / (contexts.count - split.fitted);
  };
  try {
    const before = await heldOutKl();
    const rate = options.rate ?? rateOfMiss * Math.sqrt(before);
    let best = { kl: before, step: 0, values: parameters.map(({ values }) => values.slice()) };
    onProgress?.({ step: 0, steps, heldOutKl: before });
    const draw = drawer(split.fitted, batch, random);
    for (let step = 1; step <= steps; step++) {
      signal?.throwIfAborted();
      const hidden = await gather(contexts, draw());
      const outputs = await session.run(feeds(hidden));
      const falling = 0.5 * (1 + Math.cos((Math.PI * step) / steps)) * Math.min(1, step / warmUp);
      for (const parameter of parameters) {
        const gradient = float32Output(outputs, `${parameter.name}_gradient`);
        descend(parameter, gradient, rate * falling, step, hidden.length / d);
      }
      if (step === steps || step % Math.ceil(steps / looks) === 0) {
        const kl = await heldOutKl();
        onProgress?.({ step, steps, heldOutKl: kl });
        if (kl < best.kl) best = { kl, step, values: parameters.map(({ values }) => values.slice()) };
      }
    }
    const [factor, bias, projection] = best.values as [Float32Array, Float32Array, Float32Array | undefined];
    const refined: ReducedHead = { ...start, factor, bias, projection };
    return {
      head: white ? fromWhite(refined, white) : refined,
      heldOutKl: { before, after: best.kl },
      bestStep: best.step,
    };
  } finally {
    await release(session, looking);
  }
}

/** P in the whitened basis, and the bias that goes with centred h: F (P h) = F (P W^+ w) + F P mean. */
function toWhite(head: ReducedHead, { rank, inverse, mean }: Whitening): ReducedHead {
  const { kept: k } = head;
  const d = mean.length;
  const projection = new Float32Array(k * rank);
  for (let j = 0; j < k; j++) {
    for (let r = 0; r < rank; r++) {
      let sum = 0;
      for (let i = 0; i < d; i++) sum += head.projection![j * d + i]! * inverse[r * d + i]!;
      projection[j * rank + r] = sum;
    }
  }
  return { ...head, projection, bias: shiftedBias(head, head.projection!, mean, 1) };
}

function fromWhite(head: ReducedHead, { rank, matrix, mean }: Whitening): ReducedHead {
  const { kept: k } = head;
  const d = mean.length;
  const projection = new Float32Array(k * d);
  for (let j = 0; j < k; j++) {
    for (let i = 0; i < d; i++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += head.projection![j * rank + r]! * matrix[r * d + i]!;
      projection[j * d + i] = sum;
    }
  }
  return { ...head, projection, bias: shiftedBias(head, projection, mean, -1) };
}

/** b' + sign F P mean, [V]. */
function shiftedBias(
  { bias, factor, kept: k }: ReducedHead,
  projection: Float32Array,
  mean: Float64Array,
  sign: number,
): Float32Array {
  const d = mean.length;
  const parts = Float64Array.from({ length: k }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += projection[j * d + i]! * mean[i]!;
    return sum;
  });
  return bias.map((value, w) => {
    let sum = 0;
    for (let j = 0; j < k; j++) sum += factor[w * k + j]! * parts[j]!;
    return value + sign * sum;
  });
}

async function release(...sessions: Session[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.release()));
}

/** Kingma & Ba's Adam, bias-corrected. @param contexts over which the gradient is a sum */
function descend(
  { values, mean, square }: { values: Float32Array; mean: Float32Array; square: Float32Array },
  gradient: Float32Array,
  rate: number,
  step: number,
  contexts: number,
): void {
  const stepRate = rate / (1 - momentum ** step);
  const correction = 1 / (1 - memory ** step);
  for (let i = 0; i < values.length; i++) {
    const slope = gradient[i]! / contexts;
    const average = momentum * mean[i]! + (1 - momentum) * slope;
    const power = memory * square[i]! + (1 - memory) * slope * slope;
    mean[i] = average;
    square[i] = power;
    values[i]! -= (stepRate * average) / (Math.sqrt(power * correction) + tiny);
  }
}

/** The last windows, up to a twentieth of the contexts, are not fitted. */
function splitContexts({ count, windowStarts }: StoredContexts): { fitted: number } {
  const wanted = Math.max(count - mostHeldOut, Math.ceil(count * (1 - heldOutShare)));
  const fitted = windowStarts.find((start) => start >= wanted) ?? count;
  // A text of one window is split inside it.
  return { fitted: fitted < count && fitted > 0 ? fitted : Math.max(1, Math.min(wanted, count - 1)) };
}

function select(hidden: Float32Array, d: number, coordinates: Int32Array): Float32Array {
  const k = coordinates.length;
  const out = new Float32Array((hidden.length / d) * k);
  for (let t = 0; t < hidden.length / d; t++) {
    for (let j = 0; j < k; j++) out[t * k + j] = hidden[t * d + coordinates[j]!]!;
  }
  return out;
}
