import type { Config } from "../../config.js";
import type { Weights } from "../../weights.js";
import { type FeedForward, gatedMlp } from "../feed-forward.js";
import { type Activation, add, linear } from "../layers.js";
import { expertWeights, projectionNames } from "./expert-weights.js";
import { gatedBy, mixture } from "./mixture.js";
import { type ExpertCounts, softmaxThenChoose } from "./routers.js";

/** What the experts of a layer are, with weights named as in the Qwen and OLMoE checkpoints. */
export interface SoftmaxExperts extends ExpertCounts {
  readonly d: number;
  readonly inner: number;
  readonly activation: Activation;
  /** Whether the shares of the chosen ones add up to 1. */
  readonly normalized: boolean;
  /** Numbers inside an expert that every token goes to, times a sigmoid of its own. */
  readonly sharedInner?: number;
}

/** Experts chosen by a softmax. @param prefix of the layer's MLP @throws InputError naming a weight that is missing */
export function softmaxExperts(weights: Weights, prefix: string, choices: SoftmaxExperts): FeedForward {
  const { count, d, inner, activation, sharedInner } = choices;
  const router = { weight: weights.get(`${prefix}.gate.weight`, [count, d]) };
  const layout = { count, d, inner, ...projectionNames(`${prefix}.experts`) };
  const experts = { weights: expertWeights(weights, layout), inner, gated: gatedBy(activation) };
  const routed: FeedForward = (graph, x) => mixture(graph, x, softmaxThenChoose(graph, x, router, choices), experts);
  if (sharedInner === undefined) return routed;
  const shared = gatedMlp(weights, `${prefix}.shared_expert`, { d, inner: sharedInner }, { activation });
  const gate = { weight: weights.get(`${prefix}.shared_expert_gate.weight`, [1, d]) };
  return (graph, x) => {
    const share = graph.op("Sigmoid", [linear(graph, x, gate)]);
    return add(graph, routed(graph, x), graph.op("Mul", [share, shared(graph, x)]));
  };
}

/** Which layers have experts: every `decoder_sparse_step`-th but those in `mlp_only_layers`. */
export function sparseLayers(config: Config): (layer: number) => boolean {
  const dense = config.has("mlp_only_layers") ? config.numbers("mlp_only_layers") : [];
  const step = config.integer("decoder_sparse_step", 1);
  return (layer) => !dense.includes(layer) && (layer + 1) % step === 0;
}
