import type { Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { causalAttention, splitByHead } from "../layers/attention.js";
import { activate, activationOf, add, embed, layerNorm, linear } from "../layers/layers.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/** SantaCoder and StarCoder 1 (Ben Allal et al. 2023, Li et al. 2023): GPT-2 with one head of k and v for all of q. */
export const gptBigcode: Architecture = {
  description: "SantaCoder, StarCoder 1: multi_query or a head of k and v each, learned positions, tied or not",
  modelTypes: ["gpt_bigcode"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    config.mustBe("add_cross_attention", false);
    const d = config.integer("n_embd");
    const numHeads = config.integer("n_head");
    if (d % numHeads !== 0) config.fail("n_head", `is ${numHeads}, which does not divide n_embd = ${d}`);
    const headDim = d / numHeads;
    const heads = { numHeads, numKvHeads: config.boolean("multi_query", true) ? 1 : numHeads, headDim };
    const inner = config.integer("n_inner", 4 * d);
    const maxPositions = config.integer("n_positions");
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    const activation = activationOf(config, "activation_function", "gelu_pytorch_tanh");
    const scale = config.boolean("scale_attn_weights", true) ? headDim ** -0.5 : 1;

    const affine = (name: string, ...shape: number[]) => ({
      weight: weights.get(`${name}.weight`, shape),
      bias: weights.get(`${name}.bias`, shape.slice(0, 1)),
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
      attention: affine(`h.${layer}.attn.c_attn`, d + 2 * heads.numKvHeads * headDim, d),
      projection: affine(`h.${layer}.attn.c_proj`, d, d),
      ln2: affine(`h.${layer}.ln_2`, d),
      up: affine(`h.${layer}.mlp.c_fc`, inner, d),
      down: affine(`h.${layer}.mlp.c_proj`, d, inner),
    }));
    const finalNorm = affine("ln_f", d);

    function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number]): Value {
      const { graph } = pass;
      const fused = linear(graph, layerNorm(graph, x, layer.ln1, epsilon), layer.attention);
      const attended = causalAttention(pass, { ...splitByHead(graph, fused, heads), ...heads, scale });
      const y = add(graph, x, linear(graph, attended, layer.projection));
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
