import { createGraph, type Graph, type Value } from "../engine/graph.js";
import { type Head, logits } from "../model/head/head.js";

/**
 * A graph that compares the output of two heads of one vocabulary in the same contexts, so that no V-wide row leaves the
 * engine. A = softmax of the first head's logits, B of the second's.
 *
 * Inputs: `hidden_a`, float32 [contexts, dA]; `hidden_b`, float32 [contexts, dB]; `next_token`, int64 [contexts]; and with
 * `leaveOut`, `keep`, float64 [V]: 1 for a token, 0 for one that is left out. Outputs, per context in nats:
 * - `kl`, `reverse_kl`, `js`, float64 [contexts]: KL(A || B), KL(B || A), Jensen-Shannon
 * - `top_1_a`, `top_1_b`, float64 [contexts]: id of the likeliest token
 * - `next_log_probability_a`, `next_log_probability_b`, float64 [contexts]: of `next_token`
 * - `sum_probability_a`, `sum_probability_b`, float64 [V]: sums over the contexts
 * - with `leaveOut`, `kl_others`, `reverse_kl_others`, `js_others`: the same three between A and B without the tokens
 *   left out, renormalised
 * - of the m tokens of `probabilitiesOf`, `probability_a`, `probability_b`, float64 [contexts, m]
 *
 * The logits are float32, as the models make them; from there on everything is float64. In float32 the rounding of
 * logsumexp (1e-6 at L = 10) would drown divergences of that size. In float64 it leaves about 1e-15 in the KLs and 2e-14 in
 * JS; the logits' own rounding is more: independent errors of 1e-6 in each logit make a KL of about 1e-12.
 */
export function divergenceGraph(
  headA: Head,
  headB: Head,
  { leaveOut = false, probabilitiesOf = [] }: { leaveOut?: boolean; probabilitiesOf?: readonly number[] } = {},
): Graph {
  const { vocabSize } = headA;
  const graph = createGraph("divergence");
  const ints = (...values: number[]) => graph.constant(BigInt64Array.from(values, BigInt));
  const lastAxis = ints(-1);
  const rowSum = (x: Value) => graph.op("ReduceSum", [x, lastAxis], { keepdims: 1 });
  const perRow = (x: Value, name: string) =>
    graph.output(graph.op("Squeeze", [x, lastAxis]), name, "float64", ["contexts"]);
  const mul = (x: Value, y: Value) => graph.op("Mul", [x, y]);
  const sub = (x: Value, y: Value) => graph.op("Sub", [x, y]);

  const nextToken = graph.op("Unsqueeze", [graph.input("next_token", "int64", ["contexts"]), lastAxis]);
  const distribution = (head: Head, name: "a" | "b") => {
    const hidden = graph.input(`hidden_${name}`, "float32", ["contexts", head.hiddenSize]);
    const z = logits(graph, named(head, name), hidden);
    perRow(graph.cast(graph.op("ArgMax", [z], { axis: -1, keepdims: 1 }), "float64"), `top_1_${name}`);
    const wide = graph.cast(z, "float64");
    const shifted = sub(wide, graph.op("ReduceMax", [wide, lastAxis], { keepdims: 1 }));
    const weight = graph.op("Exp", [shifted]);
    const sum = rowSum(weight);
    const logP = sub(shifted, graph.op("Log", [sum]));
    const p = mul(weight, graph.op("Reciprocal", [sum]));
    perRow(graph.op("GatherElements", [logP, nextToken], { axis: 1 }), `next_log_probability_${name}`);
    const total = graph.op("ReduceSum", [p, ints(0)], { keepdims: 0 });
    graph.output(total, `sum_probability_${name}`, "float64", [vocabSize]);
    if (probabilitiesOf.length > 0) {
      const some = graph.op("Gather", [p, ints(...probabilitiesOf)], { axis: 1 });
      graph.output(some, `probability_${name}`, "float64", ["contexts", probabilitiesOf.length]);
    }
    return { p, logP };
  };
  const a = distribution(headA, "a");
  const b = distribution(headB, "b");
  const logRatio = sub(a.logP, b.logP);
  const terms = {
    kl: mul(a.p, logRatio),
    reverseKl: mul(b.p, logRatio),
    entropyA: mul(a.p, a.logP),
    entropyB: mul(b.p, b.logP),
  };
  const number = (value: number) => graph.constant(Float64Array.of(value), []);
  // s ln s is 0 for a token without probability under either, not 0 times -Infinity.
  const tiny = number(Number.MIN_VALUE);
  const timesLog = (s: Value) => mul(s, graph.op("Log", [graph.op("Max", [s, tiny])]));
  /** JS = (sum p ln p + sum q ln q - sum s ln s) / 2 + ln 2 with s = p + q. */
  const jensenShannon = (entropyA: Value, entropyB: Value, sumTerms: Value) => {
    const difference = sub(graph.op("Add", [entropyA, entropyB]), sumTerms);
    return graph.op("Add", [mul(difference, number(0.5)), number(Math.LN2)]);
  };

  perRow(rowSum(terms.kl), "kl");
  perRow(graph.op("Neg", [rowSum(terms.reverseKl)]), "reverse_kl");
  const sumTerms = rowSum(timesLog(graph.op("Add", [a.p, b.p])));
  perRow(jensenShannon(rowSum(terms.entropyA), rowSum(terms.entropyB), sumTerms), "js");
  if (!leaveOut) return graph;

  // With P and Q the probability of the tokens kept: p' = p / P, ln p' = ln p - ln P.
  const keep = graph.op("Unsqueeze", [graph.input("keep", "float64", [vocabSize]), lastAxis]);
  const keptSum = (x: Value) => graph.op("MatMul", [x, keep]);
  const kept = ({ p }: { p: Value }) => {
    const sum = keptSum(p);
    return { log: graph.op("Log", [sum]), reciprocal: graph.op("Reciprocal", [sum]) };
  };
  const keptA = kept(a);
  const keptB = kept(b);
  const logRatioKept = sub(keptA.log, keptB.log);
  perRow(sub(mul(keptSum(terms.kl), keptA.reciprocal), logRatioKept), "kl_others");
  perRow(sub(logRatioKept, mul(keptSum(terms.reverseKl), keptB.reciprocal)), "reverse_kl_others");
  const keptEntropyA = sub(mul(keptSum(terms.entropyA), keptA.reciprocal), keptA.log);
  const keptEntropyB = sub(mul(keptSum(terms.entropyB), keptB.reciprocal), keptB.log);
  const keptMixture = graph.op("Add", [mul(a.p, keptA.reciprocal), mul(b.p, keptB.reciprocal)]);
  perRow(jensenShannon(keptEntropyA, keptEntropyB, keptSum(timesLog(keptMixture))), "js_others");
  return graph;
}

/** The head with weights under names of their own: both models may call theirs the same. */
function named(head: Head, prefix: string): Head {
  const { weight, bias } = head;
  return {
    ...head,
    weight: { ...weight, name: `${prefix}.${weight.name}` },
    bias: bias && { ...bias, name: `${prefix}.${bias.name}` },
  };
}
