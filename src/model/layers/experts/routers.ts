import type { Graph, Value } from "../../../engine/graph.js";
import type { TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import type { Config } from "../../config.js";
import { type Affine, linear, reshape, scaled } from "../layers.js";

/** Which experts each token goes to, and how much each of them counts. */
export interface Routing {
  /** int64 [tokens, perToken] */
  readonly chosen: Value;
  /** [tokens, perToken] */
  readonly shares: Value;
  readonly perToken: number;
}

/** How many experts there are, and how many each token goes to. */
export interface ExpertCounts {
  readonly count: number;
  readonly perToken: number;
}

/** What configs call the number of experts: transformers reads each name as the others. */
const countFields = ["num_experts", "num_local_experts", "n_routed_experts"];

/**
 * Reads them. @param fallbacks what the family has where its config does not say
 * @throws InputError if a token would go to more experts than there are
 */
export function expertCounts(config: Config, fallbacks: ExpertCounts): ExpertCounts {
  const count = config.integer(countFields.find((field) => config.has(field)) ?? "num_local_experts", fallbacks.count);
  const perToken = config.integer("num_experts_per_tok", fallbacks.perToken);
  if (perToken > count)
    config.fail("num_experts_per_tok", `is ${perToken}, more than the ${count} experts that there are`);
  return { count, perToken };
}

/** Shares are a softmax over all experts, of which the largest count. @param normalized whether those add up to 1 */
export function softmaxThenChoose(
  graph: Graph,
  x: Value,
  router: Affine,
  { perToken, normalized }: { readonly perToken: number; readonly normalized: boolean },
): Routing {
  const shares = graph.op("Softmax", [routerLogits(graph, x, router)], { axis: -1 });
  const [largest, chosen] = top(graph, shares, perToken);
  return { chosen, shares: normalized ? dividedBySum(graph, largest) : largest, perToken };
}

/** The largest logits are chosen; shares are a softmax over those. */
export function chooseThenSoftmax(graph: Graph, x: Value, router: Affine, perToken: number): Routing {
  const [largest, chosen] = top(graph, routerLogits(graph, x, router), perToken);
  return { chosen, shares: graph.op("Softmax", [largest], { axis: -1 }), perToken };
}

/** The largest logits are chosen; each share is the sigmoid of its own. */
export function chooseThenSigmoid(graph: Graph, x: Value, router: Affine, perToken: number): Routing {
  const [largest, chosen] = top(graph, routerLogits(graph, x, router), perToken);
  return { chosen, shares: graph.op("Sigmoid", [largest]), perToken };
}

/** Groups of experts, of which each token keeps to a few (DeepSeek-AI 2024, arXiv 2412.19437). */
export interface GroupedRouter {
  readonly weight: TensorEntry;
  /** Added to the sigmoids for the choice alone, [experts]. */
  readonly correction: TensorEntry;
  readonly count: number;
  readonly perToken: number;
  readonly groups: number;
  readonly groupsPerToken: number;
  readonly normalized: boolean;
  /** Factor on the shares. */
  readonly scale: number;
}

/** Sigmoids, corrected for the choice: first of the groups with the largest two, then of the experts in them. */
export function chooseInGroups(graph: Graph, x: Value, router: GroupedRouter): Routing {
  const { count, perToken, groups, groupsPerToken } = router;
  const sigmoids = graph.op("Sigmoid", [routerLogits(graph, x, router)]);
  const corrected = graph.op("Add", [sigmoids, graph.weightFloat32(router.correction)]);
  const open =
    groupsPerToken === groups ? corrected : inBestGroups(graph, corrected, { count, groups, groupsPerToken });
  const [, chosen] = top(graph, open, perToken);
  const shares = graph.op("GatherElements", [sigmoids, chosen], { axis: -1 });
  const normalized = router.normalized ? dividedBySum(graph, shares, 1e-20) : shares;
  return { chosen, shares: scaled(graph, normalized, router.scale), perToken };
}

/** Experts of other groups get -infinity. @param scores [tokens, count] */
function inBestGroups(
  graph: Graph,
  scores: Value,
  { count, groups, groupsPerToken }: Pick<GroupedRouter, "count" | "groups" | "groupsPerToken">,
): Value {
  const size = count / groups;
  const last = graph.constant(BigInt64Array.of(-1n));
  const grouped = reshape(graph, scores, [-1, groups, size]);
  const ofGroup = graph.op("ReduceSum", [top(graph, grouped, 2)[0], last], { keepdims: 0 });
  const [, best] = top(graph, ofGroup, groupsPerToken);
  // [tokens, groups, 1]: whether the group is among the best.
  const numbers = graph.constant(
    BigInt64Array.from({ length: groups }, (_, i) => BigInt(i)),
    [1, groups, 1],
  );
  const isBest = graph.op("Equal", [reshape(graph, best, [-1, 1, groupsPerToken]), numbers]);
  const open = graph.op("ReduceMax", [graph.cast(isBest, "int32"), last], { keepdims: 1 });
  const closed = graph.constant(Float32Array.of(Number.NEGATIVE_INFINITY), []);
  return reshape(graph, graph.op("Where", [graph.cast(open, "bool"), grouped, closed]), [-1, count]);
}

/** [tokens, experts]. @param x [batch, time, d] */
function routerLogits(graph: Graph, x: Value, router: Affine): Value {
  return reshape(graph, linear(graph, x, router), [-1, router.weight.shape[0]!]);
}

function top(graph: Graph, scores: Value, count: number): [Value, Value] {
  return graph.ops("TopK", [scores, graph.constant(BigInt64Array.of(BigInt(count)))], 2, { axis: -1 }) as [
    Value,
    Value,
  ];
}

/** @param epsilon added to the sum */
function dividedBySum(graph: Graph, shares: Value, epsilon = 0): Value {
  const sum = graph.op("ReduceSum", [shares, graph.constant(BigInt64Array.of(-1n))], { keepdims: 1 });
  const divisor = epsilon === 0 ? sum : graph.op("Add", [sum, graph.constant(Float32Array.of(epsilon), [])]);
  return graph.op("Div", [shares, divisor]);
}
