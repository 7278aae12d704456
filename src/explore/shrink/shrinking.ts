import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { transform } from "../../model/head/head-transform.js";
import type { Model } from "../../model/model.js";
import { chainHead, reductionCurve } from "../../reduction/curves/reduction-curve.js";
import type { ChainHead } from "../../reduction/measure/chain-graph.js";
import { prepareReductions, type Reductions } from "../../reduction/methods/prepare.js";
import type { CurvePoint } from "../../reduction/reduction-run.js";
import type { OpenPrompt } from "../steer/prompt.js";

/** All sizes of one head, prepared on a text: directions by falling importance, and what is lost with how many of them. */
export interface Shrinking {
  readonly reductions: Reductions;
  readonly chain: ChainHead;
  readonly curve: readonly CurvePoint[];
  /** Logits of one prompt at some sizes. */
  ladder: Ladder | undefined;
}

interface Ladder {
  readonly prompt: OpenPrompt;
  /** R (h - base), [r]. */
  readonly parts: Float64Array;
  /** k of each rung, rising from 0, and the logits before the head's transform there, [V] each. */
  readonly sizes: readonly number[];
  readonly logits: readonly Float32Array[];
}

/** Sizes at which a prompt's logits are kept: what lies between is added up. */
const rungs = 20;

/** @param contexts of the text, which directions are chosen and sizes are measured on */
export async function prepareShrinking(
  model: Model,
  contexts: StoredContexts,
  signal: AbortSignal,
  onPoints: (done: number, total: number) => void,
): Promise<Shrinking> {
  const reductions = await prepareReductions(model, contexts, { orders: ["rotation"], signal });
  const curve = await reductionCurve(model, reductions, contexts, {
    methods: [["rotation", "least-squares"]],
    signal,
    onProgress: onPoints,
  });
  const chain = await chainHead(model, reductions.chain("rotation", "least-squares"), []);
  return { reductions, chain, curve, ladder: undefined };
}

/** A prompt's logits with k directions kept, [V]. */
export function logitsAt(shrinking: Shrinking, { head }: Model, prompt: OpenPrompt, kept: number): Float32Array {
  const { chain, factor } = shrinking.chain;
  if (shrinking.ladder?.prompt !== prompt) shrinking.ladder = ladderOf(shrinking.chain, prompt);
  const { parts, sizes, logits } = shrinking.ladder;
  const size = Math.min(kept, chain.rank);
  const rung = sizes.findLastIndex((one) => one <= size);
  const z = logits[rung]!.slice();
  addParts(z, factor, chain.rank, parts, sizes[rung]!, size);
  for (const [w, value] of z.entries()) z[w] = transform(head.transform, value).value;
  return z;
}

function ladderOf({ chain, factor, bias }: ChainHead, prompt: OpenPrompt): Ladder {
  const { rank, reader, base } = chain;
  const d = base.length;
  const parts = Float64Array.from({ length: rank }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += reader[k * d + i]! * (prompt.hidden[i]! - base[i]!);
    return sum;
  });
  const sizes = [...new Set(Array.from({ length: rungs + 1 }, (_, i) => Math.floor((i * rank) / rungs)))];
  const logits: Float32Array[] = [];
  let z = Float32Array.from(bias);
  for (const [i, size] of sizes.entries()) {
    z = z.slice();
    addParts(z, factor, rank, parts, i === 0 ? 0 : sizes[i - 1]!, size);
    logits.push(z);
  }
  return { prompt, parts, sizes, logits };
}

/** Adds what the directions [from, to) say. */
function addParts(z: Float32Array, factor: Float32Array, rank: number, parts: Float64Array, from: number, to: number) {
  for (let w = 0; w < z.length; w++) {
    let sum = 0;
    for (let k = from; k < to; k++) sum += factor[w * rank + k]! * parts[k]!;
    z[w]! += sum;
  }
}

/** What is lost with so many directions kept, between the points of the curve. */
export function lossAt(curve: readonly CurvePoint[], d: number, kept: number) {
  const deleted = Math.max(0, d - kept);
  const after = Math.max(
    1,
    curve.findIndex((point) => point.deleted >= deleted),
  );
  const to = curve[after < curve.length ? after : curve.length - 1]!;
  const from = curve[curve.indexOf(to) - 1] ?? to;
  const wide = to.deleted - from.deleted;
  const share = wide > 0 ? Math.min(1, (deleted - from.deleted) / wide) : 0;
  const between = (a: number, b: number) => (1 - share) * a + share * b;
  return {
    kl: between(from.kl, to.kl),
    top1: between(from.top1, to.top1),
    perplexity: between(from.perplexity, to.perplexity),
  };
}
