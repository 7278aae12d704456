import type { Graph, Value } from "../../engine/graph.js";
import type { Architecture } from "../architecture.js";
import { activate, activationOf, add, causalAttention, conv1d, embed, layerNorm } from "../layers.js";

/**
 * GPT-2 (Radford et al. 2019): learned positions, pre-norm blocks, fused q/k/v, weights stored [in, out], tied head.
 * Older checkpoints have no "transformer." in front of their names and carry causal-mask buffers, which are not read.
 */
export const gpt2: Architecture = {
  modelTypes: ["gpt2"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    config.mustBe("add_cross_attention", false);
    const d = config.integer("n_embd");
    const heads = config.integer("n_head");
    if (d % heads !== 0) config.fail("n_head", `is ${heads}, which does not divide n_embd = ${d}`);
    const inner = config.integer("n_inner", 4 * d);
    const maxPositions = config.integer("n_positions");
    const epsilon = config.number("layer_norm_epsilon", 1e-5);
    const activation = activationOf(config, "activation_function", "gelu_new");
    const scaleByHeadSize = config.boolean("scale_attn_weights", true);
    const scaleByLayer = config.boolean("scale_attn_by_inverse_layer_idx", false);

    const affine = (name: string, ...shape: number[]) => ({
      weight: weights.get(`${name}.weight`, shape),
      bias: weights.get(`${name}.bias`, shape.slice(-1)),
    });
    const wte = weights.get("wte.weight", [config.integer("vocab_size"), d]);
    const wpe = weights.get("wpe.weight", [maxPositions, d]);
    const blocks = Array.from({ length: config.integer("n_layer") }, (_, layer) => ({
      ln1: affine(`h.${layer}.ln_1`, d),
      attention: affine(`h.${layer}.attn.c_attn`, d, 3 * d),
      projection: affine(`h.${layer}.attn.c_proj`, d, d),
      ln2: affine(`h.${layer}.ln_2`, d),
      up: affine(`h.${layer}.mlp.c_fc`, d, inner),
      down: affine(`h.${layer}.mlp.c_proj`, inner, d),
      scale: (scaleByHeadSize ? (d / heads) ** -0.5 : 1) / (scaleByLayer ? layer + 1 : 1),
    }));
    const finalNorm = affine("ln_f", d);

    function block(graph: Graph, x: Value, layer: (typeof blocks)[number]): Value {
      const qkv = conv1d(graph, layerNorm(graph, x, layer.ln1, epsilon), layer.attention);
      const [q, k, v] = graph.ops("Split", [qkv], 3, { axis: -1, num_outputs: 3 }) as [Value, Value, Value];
      const attended = causalAttention(graph, { q, k, v, heads, scale: layer.scale });
      const y = add(graph, x, conv1d(graph, attended, layer.projection));
      const inside = activate(graph, activation, conv1d(graph, layerNorm(graph, y, layer.ln2, epsilon), layer.up));
      return add(graph, y, conv1d(graph, inside, layer.down));
    }

    return {
      hiddenSize: d,
      maxPositions,
      inputEmbedding: wte,
      head: { weight: config.boolean("tie_word_embeddings", true) ? wte : weights.get("lm_head.weight", wte.shape) },
      hiddenStates({ graph, tokenIds, positions }) {
        let x = add(graph, embed(graph, wte, tokenIds), embed(graph, wpe, positions));
        for (const layer of blocks) x = block(graph, x, layer);
        return layerNorm(graph, x, finalNorm, epsilon);
      },
    };
  },
};
