import { type Engine, float64Output } from "../../engine/engine.js";
import { createGraph, type Graph } from "../../engine/graph.js";
import { type Head, logits } from "../../model/head/head.js";

/** Contexts of one run, and numbers in one V-wide block (32 MB as float64): whatever V is, few such blocks are held. */
const maxContexts = 128;
const maxBlockNumbers = 2 ** 22;

/** What tokens that go had in n contexts. */
export interface RemovedMass {
  /** Their probability, [n]. */
  readonly removed: Float64Array;
  /** ln of the probability of all others, [n]: exact where hardly anything goes, and where hardly anything stays. */
  readonly keptLogProbability: Float64Array;
  /** ln p of the given next token under the whole vocabulary, [n]. */
  readonly nextLogProbability: Float64Array;
}

/** A head that tells what some tokens have. */
export interface RemovedMassSession {
  /** How many runs are worth having under way at once. */
  readonly concurrency: number;
  /** @param hidden what the head multiplies, [n, d] @param nextTokens [n] */
  run(hidden: Float32Array, nextTokens: Int32Array): Promise<RemovedMass>;
  release(): Promise<void>;
}

/**
 * What some tokens have of the output, context by context; no V-wide row leaves the engine. The logits are float32, as the model
 * makes them; from there on everything is float64.
 * @param kept ids that stay
 */
export async function removedMassSession(engine: Engine, head: Head, kept: Int32Array): Promise<RemovedMassSession> {
  const { vocabSize, hiddenSize } = head;
  const goes = new Float64Array(vocabSize).fill(1);
  for (const id of kept) goes[id] = 0;
  const session = await engine.load(removedMassGraph(head));
  const blockContexts = Math.max(1, Math.min(maxContexts, Math.floor(maxBlockNumbers / vocabSize)));
  return {
    concurrency: session.concurrency,
    release: () => session.release(),
    async run(hidden, nextTokens) {
      const n = nextTokens.length;
      const [removed, kept, nextLogProbability] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
      for (let start = 0; start < n; start += blockContexts) {
        const end = Math.min(n, start + blockContexts);
        const next = BigInt64Array.from(nextTokens.subarray(start, end), BigInt);
        const data = hidden.subarray(start * hiddenSize, end * hiddenSize);
        const outputs = await session.run({
          hidden: { type: "float32", data, dims: [end - start, hiddenSize] },
          next_token: { type: "int64", data: next, dims: [end - start] },
          goes: { type: "float64", data: goes, dims: [vocabSize] },
        });
        removed.set(float64Output(outputs, "removed"), start);
        kept.set(float64Output(outputs, "kept"), start);
        nextLogProbability.set(float64Output(outputs, "next_log_probability"), start);
      }
      const keptLogProbability = removed.map((share, t) => (share < 0.5 ? Math.log1p(-share) : Math.log(kept[t]!)));
      return { removed, keptLogProbability, nextLogProbability };
    },
  };
}

function removedMassGraph(head: Head): Graph {
  const graph = createGraph("removed-mass");
  const lastAxis = graph.constant(BigInt64Array.of(-1n));
  const hidden = graph.input("hidden", "float32", ["contexts", head.hiddenSize]);
  const nextToken = graph.op("Unsqueeze", [graph.input("next_token", "int64", ["contexts"]), lastAxis]);
  const goes = graph.op("Unsqueeze", [graph.input("goes", "float64", [head.vocabSize]), lastAxis]);
  const z = graph.cast(logits(graph, head, hidden), "float64");
  const shifted = graph.op("Sub", [z, graph.op("ReduceMax", [z, lastAxis], { keepdims: 1 })]);
  const weight = graph.op("Exp", [shifted]);
  const sum = graph.op("ReduceSum", [weight, lastAxis], { keepdims: 1 });
  const perContext = (x: typeof z, name: string) =>
    graph.output(graph.op("Squeeze", [x, lastAxis]), name, "float64", ["contexts"]);
  const stays = graph.op("Sub", [graph.constant(Float64Array.of(1), []), goes]);
  perContext(graph.op("Div", [graph.op("MatMul", [weight, goes]), sum]), "removed");
  perContext(graph.op("Div", [graph.op("MatMul", [weight, stays]), sum]), "kept");
  const next = graph.op("GatherElements", [shifted, nextToken], { axis: 1 });
  perContext(graph.op("Sub", [next, graph.op("Log", [sum])]), "next_log_probability");
  return graph;
}
