import type { Config } from "../../config.js";
import type { Weights } from "../../weights.js";
import { type FeedForward, gatedMlp } from "../feed-forward.js";
import { activationOf, add } from "../layers.js";
import { expertWeights, projectionNames } from "./expert-weights.js";
import { gatedBy, mixture } from "./mixture.js";
import { chooseInGroups, expertCounts } from "./routers.js";

/** What a family has where its config does not say. */
export interface GroupedDefaults {
  readonly count: number;
  readonly perToken: number;
  readonly groups: number;
  readonly groupsPerToken: number;
  readonly scale: number;
  /** How many layers at the beginning have an MLP instead. */
  readonly denseLayers: number;
}

/**
 * Layers from `first_k_dense_replace` on have experts chosen in groups, and experts that every token goes to, as DeepSeek-V3
 * and GLM-4.5 name and compute them. @returns what to give a layer; undefined for those with an MLP
 * @throws InputError naming a field that contradicts another
 */
export function groupedExperts(
  config: Config,
  weights: Weights,
  defaults: GroupedDefaults,
): (layer: number) => FeedForward | undefined {
  const first = config.has("first_k_dense_replace") ? config.number("first_k_dense_replace") : defaults.denseLayers;
  const d = config.integer("hidden_size");
  const inner = config.integer("moe_intermediate_size");
  const activation = activationOf(config, "hidden_act", "silu");
  const router = readRouter(config, defaults);
  const { count } = router;
  const sharedInner = inner * config.integer("n_shared_experts", 1);
  return (layer) => {
    if (layer < first) return undefined;
    const prefix = `layers.${layer}.mlp`;
    const gate = {
      ...router,
      weight: weights.get(`${prefix}.gate.weight`, [count, d]),
      correction: weights.get(`${prefix}.gate.e_score_correction_bias`, [count]),
    };
    const layout = { count, d, inner, ...projectionNames(`${prefix}.experts`) };
    const experts = { weights: expertWeights(weights, layout), inner, gated: gatedBy(activation) };
    const shared = gatedMlp(weights, `${prefix}.shared_experts`, { d, inner: sharedInner }, { activation });
    return (graph, x) => add(graph, mixture(graph, x, chooseInGroups(graph, x, gate), experts), shared(graph, x));
  };
}

function readRouter(config: Config, defaults: GroupedDefaults) {
  const { count, perToken } = expertCounts(config, defaults);
  const groups = config.integer("n_group", defaults.groups);
  const groupsPerToken = config.integer("topk_group", defaults.groupsPerToken);
  const size = count / groups;
  if (!Number.isInteger(size) || size < 2) {
    config.fail("n_group", `is ${groups}; ${count} experts in groups of equal size, at least 2 in each, are wanted`);
  }
  if (groupsPerToken > groups) config.fail("topk_group", `is ${groupsPerToken}, more than n_group = ${groups}`);
  if (perToken > groupsPerToken * size) {
    config.fail("topk_group", `leaves ${groupsPerToken * size} experts to num_experts_per_tok = ${perToken}`);
  }
  return {
    count,
    perToken,
    groups,
    groupsPerToken,
    normalized: config.boolean("norm_topk_prob", true),
    scale: config.positive("routed_scaling_factor", defaults.scale),
  };
}
