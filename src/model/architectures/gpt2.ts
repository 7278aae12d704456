import type { Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { causalAttention } from "../layers/attention.js";
import { activate, activationOf, add, conv1d, embed, layerNorm, splitLast } from "../layers/layers.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/**
 * GPT-2 (Radford et al. 2019): learned positions, pre-norm blocks, fused q/k/v, weights stored [in, out], tied head.
 * Older checkpoints have no "transformer." in front of their names and carry causal-mask buffers, which are not read.
 */
export const gpt2: Architecture = {
  description: "GPT-2 and models saved as such: any activation, attention scaled by head size or layer, tied or not",
  modelTypes: ["gpt2"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    config.mustBe("add_cross_attention", false);
    const d = config.integer("n_embd");
    const numHeads = config.integer("n_head");
    if (d % numHeads !== 0) config.fail("n_head", `is ${numHeads}, which does not divide n_embd = ${d}`);
    const inner = config.integer("n_inner", 4 * d);
    const maxPositions = config.integer("n_positions");
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    const activation = activationOf(config, "activation_function", "gelu_new");
    const scaleByHeadSize = config.boolean("scale_attn_weights", true);
    const scaleByLayer = config.boolean("scale_attn_by_inverse_layer_idx", false);

    const affine = (name: string, ...shape: number[]) => ({
      weight: weights.get(`${name}.weight`, shape),
      bias: weights.get(`${name}.bias`, shape.slice(-1)),
    });
    const { embedding: wte, head } = embeddings(
      config,
      weights,
      { input: "wte.weight", output: "lm_head.weight", tied: true },
      [config.integer("vocab_size"), d],
    );
    const wpe = weights.get("wpe.weight", [maxPositions, d]);
    const blocks = perLayer(config.integer("n_layer"), (layer) => ({
      ln1: affine(`h.${layer}.ln_1`, d),
      attention: affine(`h.${layer}.attn.c_attn`, d, 3 * d),
      projection: affine(`h.${layer}.attn.c_proj`, d, d),
      ln2: affine(`h.${layer}.ln_2`, d),
      up: affine(`h.${layer}.mlp.c_fc`, d, inner),
      down: affine(`h.${layer}.mlp.c_proj`, inner, d),
      scale: (scaleByHeadSize ? (d / numHeads) ** -0.5 : 1) / (scaleByLayer ? layer + 1 : 1),
    }));
    const finalNorm = affine("ln_f", d);

    function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number]): Value {
      const { graph } = pass;
      const qkv = conv1d(graph, layerNorm(graph, x, layer.ln1, epsilon), layer.attention);
      const [q, k, v] = splitLast(graph, qkv, [d, d, d]) as [Value, Value, Value];
      const attended = causalAttention(pass, {
        q,
        k,
        v,
        numHeads,
        numKvHeads: numHeads,
        headDim: d / numHeads,
        scale: layer.scale,
      });
      const y = add(graph, x, conv1d(graph, attended, layer.projection));
      const inside = activate(graph, activation, conv1d(graph, layerNorm(graph, y, layer.ln2, epsilon), layer.up));
      return add(graph, y, conv1d(graph, inside, layer.down));
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
