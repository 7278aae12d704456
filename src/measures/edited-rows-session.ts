import { type Engine, float32Output, type Tensors } from "../engine/engine.js";
import { createGraph, type Graph, type Value } from "../engine/graph.js";
import { type Head, logits } from "../model/head/head.js";
import { readHeadRows } from "../model/head/head-rows.js";
import { transformed } from "../model/head/head-transform.js";
import { divergences, logSumExp } from "./divergence.js";
import { emptyDivergences, type HeadDivergences } from "./divergence-session.js";

/** Contexts of one run, and numbers in one V-wide block: small enough to stay near the processor. */
const maxContexts = 128;
const maxBlockNumbers = 2 ** 22;
/** Below every logit, and still finite: its exponential is 0. */
const never = -1e30;

/** Compares a head with one that differs in m rows. */
export interface EditedRowsSession {
  /** How many runs are worth having under way at once. */
  readonly concurrency: number;
  /**
   * @param hidden what both heads multiply, [n, d]  @param nextTokens the token whose probability is wanted in each context, [n]
   * @returns what a divergence session with the m tokens left out and asked for finds; the others' divergences are 0
   */
  run(hidden: Float32Array, nextTokens: Int32Array): Promise<HeadDivergences>;
  release(): Promise<void>;
}

/**
 * Divergences of two heads A and B that differ in the rows of a few tokens alone. All others keep their proportions in every
 * context, so that they count as one: one pass over the vocabulary in float32 gives ln of their sum, and the rest follows from
 * it and 2 m logits in float64.
 * @param ids of the rows that differ, [m] (differInRowsOnly)
 */
export async function editedRowsSession(
  engine: Engine,
  headA: Head,
  headB: Head,
  ids: readonly number[],
): Promise<EditedRowsSession> {
  const session = await engine.load(await editedRowsGraph(engine, headA, headB, ids));
  const { vocabSize, hiddenSize } = headA;
  const blockContexts = Math.max(1, Math.min(maxContexts, Math.floor(maxBlockNumbers / vocabSize)));
  return {
    concurrency: session.concurrency,
    release: () => session.release(),
    async run(hidden, nextTokens) {
      const n = nextTokens.length;
      const result = emptyDivergences(n, vocabSize, true, ids.length);
      for (let start = 0; start < n; start += blockContexts) {
        const end = Math.min(n, start + blockContexts);
        const next = nextTokens.subarray(start, end);
        const outputs = await session.run({
          hidden: {
            type: "float32",
            data: hidden.subarray(start * hiddenSize, end * hiddenSize),
            dims: [end - start, hiddenSize],
          },
          next_token: { type: "int64", data: BigInt64Array.from(next, BigInt), dims: [end - start] },
        });
        put(result, outputs, { start, next, ids });
      }
      return result;
    },
  };
}

/**
 * Outputs per context, float32: `largest`, `sum` and `top` (ln of the sum over all tokens but the m, as largest + ln sum, and the
 * likeliest of them), `next` (the next token's logit), `edited_a` and `edited_b` [n, m]; and `total` [2, V], the probabilities of
 * the tokens but the m under A and B, summed over the contexts.
 */
async function editedRowsGraph(engine: Engine, headA: Head, headB: Head, ids: readonly number[]): Promise<Graph> {
  const { vocabSize, hiddenSize } = headA;
  const graph = createGraph("edited_rows", engine);
  const lastAxis = graph.constant(BigInt64Array.of(-1n), [1]);
  const over = (op: "ReduceMax" | "ReduceSum", x: Value) => graph.op(op, [x, lastAxis], { keepdims: 1 });
  const perRow = (x: Value, name: string, width = 1) => graph.output(x, name, "float32", ["n", width]);
  const hidden = graph.input("hidden", "float32", ["n", hiddenSize]);
  const nextToken = graph.op("Unsqueeze", [graph.input("next_token", "int64", ["n"]), lastAxis]);

  const mask = new Float32Array(vocabSize);
  for (const id of ids) mask[id] = never;
  const z = graph.op("Add", [logits(graph, headA, hidden), graph.constant(mask, [vocabSize])]);
  const largest = over("ReduceMax", z);
  const weight = graph.op("Exp", [graph.op("Sub", [z, largest])]);
  const sum = over("ReduceSum", weight);
  perRow(largest, "largest");
  perRow(sum, "sum");
  // Ids up to 2^24 are exact in float32.
  perRow(graph.cast(graph.op("ArgMax", [z], { axis: -1, keepdims: 1 }), "float32"), "top");
  perRow(graph.op("GatherElements", [z, nextToken], { axis: 1 }), "next");

  /** One over the sum of all tokens, in units of `largest`: what makes a probability of a weight. */
  const share = async (head: Head, name: "a" | "b") => {
    const { rows, biases } = await readHeadRows(head, ids);
    const matrix = graph.constant(Float32Array.from(rows), [ids.length, hiddenSize]);
    const bias = graph.constant(Float32Array.from(biases), [ids.length]);
    const product = graph.op("Gemm", [hidden, matrix, bias], { transB: 1 });
    const edited = transformed(graph, head.transform, product);
    perRow(edited, `edited_${name}`, ids.length);
    const top = graph.op("Max", [largest, over("ReduceMax", edited)]);
    const rest = graph.op("Exp", [graph.op("Sub", [largest, top])]);
    const own = over("ReduceSum", graph.op("Exp", [graph.op("Sub", [edited, top])]));
    return graph.op("Div", [rest, graph.op("Add", [graph.op("Mul", [rest, sum]), own])]);
  };
  const shares = graph.op("Concat", [await share(headA, "a"), await share(headB, "b")], { axis: 1 });
  const total = graph.op("MatMul", [graph.op("Transpose", [shares], { perm: [1, 0] }), weight]);
  graph.output(total, "total", "float32", [2, vocabSize]);
  return graph;
}

/** One head's part of a result. */
interface Side {
  readonly edited: Float32Array;
  readonly top1: Int32Array;
  readonly nextLogProbability: Float64Array;
  readonly probability: Float64Array;
  readonly sum: Float64Array;
  /** Logits of the m tokens and ln of the sum of all others, of one context. */
  readonly outcomes: Float64Array;
}

/** Puts what follows from the outputs of one block where its contexts start. */
function put(
  result: HeadDivergences,
  outputs: Tensors,
  { start, next, ids }: { start: number; next: Int32Array; ids: readonly number[] },
): void {
  const m = ids.length;
  const [largest, sum, top, nextLogit, total] = ["largest", "sum", "top", "next", "total"].map((name) =>
    float32Output(outputs, name),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const V = result.sumProbabilityA.length;
  const side = (name: "A" | "B"): Side => ({
    edited: float32Output(outputs, `edited_${name.toLowerCase()}`),
    top1: result[`top1${name}`],
    nextLogProbability: result[`nextLogProbability${name}`],
    probability: result[`probability${name}`],
    sum: result[`sumProbability${name}`],
    outcomes: new Float64Array(m + 1),
  });
  const [a, b] = [side("A"), side("B")];
  const place = new Map(ids.map((id, j) => [id, j]));
  for (let t = 0; t < next.length; t++) {
    const at = start + t;
    const normalizers = [a, b].map(({ edited, outcomes, top1, nextLogProbability, probability, sum: ownSum }) => {
      outcomes.set(edited.subarray(t * m, (t + 1) * m));
      outcomes[m] = largest[t]! + Math.log(sum[t]!);
      const normalizer = logSumExp(outcomes);
      for (const [j, id] of ids.entries()) {
        const p = Math.exp(outcomes[j]! - normalizer);
        probability[at * m + j] = p;
        ownSum[id]! += p;
      }
      top1[at] = likeliest(outcomes, ids, top[t]!, largest[t]!);
      const ownPlace = place.get(next[t]!);
      nextLogProbability[at] = (ownPlace === undefined ? nextLogit[t]! : outcomes[ownPlace]!) - normalizer;
      return normalizer;
    });
    const known = normalizers.every(Number.isFinite);
    const found = known ? divergences(a.outcomes, b.outcomes) : { kl: NaN, reverseKl: NaN, js: NaN };
    result.kl[at] = found.kl;
    result.reverseKl[at] = found.reverseKl;
    result.js[at] = found.js;
  }
  for (let w = 0; w < V; w++) {
    a.sum[w]! += total[w]!;
    b.sum[w]! += total[V + w]!;
  }
}

/** Of equal ones the first, as in the whole row. */
function likeliest(edited: Float64Array, ids: readonly number[], top: number, largest: number): number {
  let best = top;
  let most = largest;
  for (const [j, id] of ids.entries()) {
    if (edited[j]! > most || (edited[j] === most && id < best)) [best, most] = [id, edited[j]!];
  }
  return best;
}
