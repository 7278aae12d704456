import type { Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import type { Config } from "../config.js";
import { causalAttention } from "../layers/attention.js";
import { activate, activationOf, add, embed, layerNorm, linear } from "../layers/layers.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/**
 * GPT-Neo (Black et al. 2021): GPT-2's block with q, k, v apart and without biases, scores that are not divided by the
 * square root of the head size, and a window in every layer that is "local".
 */
export const gptNeo: Architecture = {
  description: "GPT-Neo: global and local layers in any order (attention_types, window_size)",
  modelTypes: ["gpt_neo"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    const d = config.integer("hidden_size");
    const numHeads = config.integer("num_heads");
    if (d % numHeads !== 0) config.fail("num_heads", `is ${numHeads}, which does not divide hidden_size = ${d}`);
    const inner = config.integer("intermediate_size", 4 * d);
    const maxPositions = config.integer("max_position_embeddings");
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    const activation = activationOf(config, "activation_function", "gelu_new");
    const windowSize = config.integer("window_size", 256);
    const layers = config.integer("num_layers");
    const kinds = attentionKinds(config, layers);

    const affine = (name: string, ...shape: number[]) => ({
      weight: weights.get(`${name}.weight`, shape),
      bias: weights.get(`${name}.bias`, shape.slice(0, 1)),
    });
    const matrix = (name: string) => ({ weight: weights.get(`${name}.weight`, [d, d]) });
    const { embedding: wte, head } = embeddings(
      config,
      weights,
      { input: "wte.weight", output: "lm_head.weight", tied: true },
      [config.integer("vocab_size"), d],
    );
    const wpe = weights.get("wpe.weight", [maxPositions, d]);
    const blocks = perLayer(layers, (layer) => ({
      ln1: affine(`h.${layer}.ln_1`, d),
      q: matrix(`h.${layer}.attn.attention.q_proj`),
      k: matrix(`h.${layer}.attn.attention.k_proj`),
      v: matrix(`h.${layer}.attn.attention.v_proj`),
      output: affine(`h.${layer}.attn.attention.out_proj`, d, d),
      ln2: affine(`h.${layer}.ln_2`, d),
      up: affine(`h.${layer}.mlp.c_fc`, inner, d),
      down: affine(`h.${layer}.mlp.c_proj`, d, inner),
      window: kinds[layer] === "local" ? windowSize : undefined,
    }));
    const finalNorm = affine("ln_f", d);

    function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number]): Value {
      const { graph } = pass;
      const normed = layerNorm(graph, x, layer.ln1, epsilon);
      const attended = causalAttention(pass, {
        q: linear(graph, normed, layer.q),
        k: linear(graph, normed, layer.k),
        v: linear(graph, normed, layer.v),
        numHeads,
        numKvHeads: numHeads,
        headDim: d / numHeads,
        scale: 1,
        window: layer.window,
      });
      const y = add(graph, x, linear(graph, attended, layer.output));
      const inside = activate(graph, activation, linear(graph, layerNorm(graph, y, layer.ln2, epsilon), layer.up));
      return add(graph, y, linear(graph, inside, layer.down));
    }

    return {
      hiddenSize: d,
      maxPositions,
      inputEmbedding: wte,
      head: { weight: head },
      finalNorm: { kind: "layer", ...finalNorm },
      numLayers: blocks.length,
      hiddenStates(pass) {
        const { graph, tokenIds, positions } = pass;
        return throughLayers(pass, blocks, {
          begin: () => add(graph, embed(graph, wte, tokenIds), embed(graph, wpe, positions)),
          layer: (x, layer) => block(pass, x, layer),
          end: (x) => layerNorm(graph, x, finalNorm, epsilon),
        });
      },
    };
  },
};

/** "global" or "local" for each layer, from `attention_types`: [[["global", "local"], 12]] is both in turn, 12 times. */
function attentionKinds(config: Config, layers: number): string[] {
  const field = "attention_types";
  const groups = config.unknown(field) ?? [[["global", "local"], layers / 2]];
  const kinds: string[] = [];
  for (const group of Array.isArray(groups) ? (groups as unknown[]) : []) {
    const [names, times] = Array.isArray(group) ? (group as unknown[]) : [];
    if (!isKindList(names) || typeof times !== "number") {
      config.fail(field, 'is not of the form [[["global", "local"], times]]');
    }
    // Stops at the number of layers: a count in a file must not decide how much is allocated.
    for (let time = 0; time < times && kinds.length <= layers; time++) kinds.push(...names);
  }
  if (kinds.length !== layers) config.fail(field, `does not describe as many layers as num_layers = ${layers}`);
  return kinds;
}

function isKindList(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((kind) => kind === "global" || kind === "local");
}
