import type { Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { type Config, config as configOf } from "../config.js";
import { alibi, mptSlopes } from "../layers/alibi.js";
import { causalAttention } from "../layers/attention.js";
import { activate, add, clipped, embed, layerNorm, linear, splitLast } from "../layers/layers.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer, type Weights } from "../weights.js";

/**
 * MPT (MosaicML 2023): GPT-2's block without positions and biases, whose heads have linear biases on their scores; q, k and v
 * in one matrix and held to clip_qkv; tied head.
 */
export const mpt: Architecture = {
  description: "MPT 7B, 30B: ALiBi, clip_qkv, softmax_scale; without positions or biases of its own",
  modelTypes: ["mpt"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    const own = config.object("attn_config") ?? configOf(config.place, {}, "attn_config.");
    refuseOthers(config, own, weights);
    const d = config.integer("d_model");
    const numHeads = config.integer("n_heads");
    if (d % numHeads !== 0) config.fail("n_heads", `is ${numHeads}, which does not divide d_model = ${d}`);
    const headDim = d / numHeads;
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    const scale = own.positive("softmax_scale", headDim ** -0.5);
    // 0 is none too.
    const clip = own.number("clip_qkv", 0) === 0 ? undefined : own.positive("clip_qkv");
    const bias = alibi(mptSlopes(numHeads));

    const matrix = (name: string, out: number | undefined, input: number | undefined) => ({
      weight: weights.get(`${name}.weight`, [out, input]),
    });
    const norm = (name: string) => ({ weight: weights.get(`${name}.weight`, [d]) });
    const { embedding, head } = embeddings(
      config,
      weights,
      { input: "wte.weight", output: "lm_head.weight", tied: true },
      [config.integer("vocab_size"), d],
    );
    const blocks = perLayer(config.integer("n_layers"), (layer) => {
      // Not by expansion_ratio, which transformers does not ask for.
      const up = matrix(`blocks.${layer}.ffn.up_proj`, undefined, d);
      return {
        norm1: norm(`blocks.${layer}.norm_1`),
        attention: matrix(`blocks.${layer}.attn.Wqkv`, 3 * d, d),
        projection: matrix(`blocks.${layer}.attn.out_proj`, d, d),
        norm2: norm(`blocks.${layer}.norm_2`),
        up,
        down: matrix(`blocks.${layer}.ffn.down_proj`, d, up.weight.shape[0]),
      };
    });
    const finalNorm = norm("norm_f");

    function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number]): Value {
      const { graph } = pass;
      const fused = linear(graph, layerNorm(graph, x, layer.norm1, epsilon), layer.attention);
      const [q, k, v] = splitLast(graph, clipped(graph, fused, clip), [d, d, d]) as [Value, Value, Value];
      const attended = causalAttention(pass, { q, k, v, numHeads, numKvHeads: numHeads, headDim, scale, bias });
      const y = add(graph, x, linear(graph, attended, layer.projection));
      const inside = activate(graph, "gelu", linear(graph, layerNorm(graph, y, layer.norm2, epsilon), layer.up));
      return add(graph, y, linear(graph, inside, layer.down));
    }

    return {
      hiddenSize: d,
      maxPositions: config.integer("max_seq_len", 2048),
      inputEmbedding: embedding,
      head: { weight: head },
      finalNorm: { kind: "layer", ...finalNorm },
      numLayers: blocks.length,
      hiddenStates(pass) {
        const { graph, tokenIds } = pass;
        return throughLayers(pass, blocks, {
          begin: () => embed(graph, embedding, tokenIds),
          layer: (x, layer) => block(pass, x, layer),
          end: (x) => layerNorm(graph, x, finalNorm, epsilon),
        });
      },
    };
  },
};

/** What the first implementation knows and transformers does not: it would compute something else without a word. */
function refuseOthers(config: Config, own: Config, weights: Weights): void {
  own.mustBe("alibi", true);
  own.mustBe("alibi_bias_max", 8);
  own.mustBe("attn_type", "multihead_attention");
  own.mustBe("prefix_lm", false);
  own.mustBe("qk_ln", false);
  if (config.has("logit_scale")) config.fail("logit_scale", "is set; only null is supported");
  config.choice("norm_type", ["low_precision_layernorm", "layernorm"], "low_precision_layernorm");
  if (weights.has("blocks.0.attn.Wqkv.bias"))
    config.fail("no_bias", "is false and there are biases, which are not supported");
}
