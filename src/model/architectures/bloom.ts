import type { Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { eitherField } from "../config.js";
import { alibi, bloomSlopes } from "../layers/alibi.js";
import { causalAttention, splitByHead } from "../layers/attention.js";
import { activate, add, embed, layerNorm, linear } from "../layers/layers.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/**
 * BLOOM (BigScience 2022): GPT-2's block without positions, whose heads have linear biases on their scores; a LayerNorm
 * behind the embeddings; q/k/v fused head by head; tied head.
 */
export const bloom: Architecture = {
  description: "BLOOM, BLOOMZ: ALiBi, a norm behind the embeddings, residuals before or after the norms",
  modelTypes: ["bloom"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    const d = config.integer(eitherField(config, "n_embed", "hidden_size"));
    const headsField = eitherField(config, "n_head", "num_attention_heads");
    const numHeads = config.integer(headsField);
    if (d % numHeads !== 0) config.fail(headsField, `is ${numHeads}, which does not divide ${d}`);
    // With more than one rank that path leaves the biases out.
    if (config.number("pretraining_tp", 1) > 1) config.mustBe("slow_but_exact", false);
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    const afterNorms = config.boolean("apply_residual_connection_post_layernorm", false);
    const heads = { numHeads, numKvHeads: numHeads, headDim: d / numHeads };
    const bias = alibi(bloomSlopes(numHeads));

    const affine = (name: string, ...shape: number[]) => ({
      weight: weights.get(`${name}.weight`, shape),
      bias: weights.get(`${name}.bias`, shape.slice(0, 1)),
    });
    const { embedding, head } = embeddings(
      config,
      weights,
      { input: "word_embeddings.weight", output: "lm_head.weight", tied: true },
      [config.integer("vocab_size"), d],
    );
    const embeddingNorm = affine("word_embeddings_layernorm", d);
    const blocks = perLayer(config.integer(eitherField(config, "n_layer", "num_hidden_layers")), (layer) => ({
      inputNorm: affine(`h.${layer}.input_layernorm`, d),
      attention: affine(`h.${layer}.self_attention.query_key_value`, 3 * d, d),
      projection: affine(`h.${layer}.self_attention.dense`, d, d),
      postNorm: affine(`h.${layer}.post_attention_layernorm`, d),
      up: affine(`h.${layer}.mlp.dense_h_to_4h`, 4 * d, d),
      down: affine(`h.${layer}.mlp.dense_4h_to_h`, d, 4 * d),
    }));
    const finalNorm = affine("ln_f", d);

    function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number]): Value {
      const { graph } = pass;
      const input = layerNorm(graph, x, layer.inputNorm, epsilon);
      const qkv = splitByHead(graph, linear(graph, input, layer.attention), heads);
      const attended = causalAttention(pass, { ...qkv, ...heads, scale: heads.headDim ** -0.5, bias });
      const y = add(graph, afterNorms ? input : x, linear(graph, attended, layer.projection));
      const normed = layerNorm(graph, y, layer.postNorm, epsilon);
      const inside = activate(graph, "gelu_new", linear(graph, normed, layer.up));
      return add(graph, afterNorms ? normed : y, linear(graph, inside, layer.down));
    }

    return {
      hiddenSize: d,
      maxPositions: undefined,
      inputEmbedding: embedding,
      head: { weight: head },
      finalNorm: { kind: "layer", ...finalNorm },
      numLayers: blocks.length,
      hiddenStates(pass) {
        const { graph, tokenIds } = pass;
        return throughLayers(pass, blocks, {
          begin: () => layerNorm(graph, embed(graph, embedding, tokenIds), embeddingNorm, epsilon),
          layer: (x, layer) => block(pass, x, layer),
          end: (x) => layerNorm(graph, x, finalNorm, epsilon),
        });
      },
    };
  },
};
