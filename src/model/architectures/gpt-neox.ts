import type { Graph, Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { causalAttention, splitByHead } from "../layers/attention.js";
import { activate, activationOf, add, embed, layerNorm, linear } from "../layers/layers.js";
import { readRope } from "../layers/rope.js";
import { type RotaryTables, rotaryTables, rotate } from "../layers/rotary.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/**
 * GPT-NeoX and Pythia (Black et al. 2022): rotary positions on a part of each head, q/k/v fused head by head,
 * attention and MLP added in parallel or one after the other, untied head.
 */
export const gptNeox: Architecture = {
  description: "GPT-NeoX, Pythia: parallel or sequential, part of each head rotated, attention biases; rope as Llama",
  modelTypes: ["gpt_neox"],
  prefixes: ["gpt_neox.", ""],
  describe(config, weights) {
    const d = config.integer("hidden_size");
    const numHeads = config.integer("num_attention_heads");
    if (d % numHeads !== 0)
      config.fail("num_attention_heads", `is ${numHeads}, which does not divide hidden_size = ${d}`);
    const headDim = d / numHeads;
    const inner = config.integer("intermediate_size");
    const epsilon = config.positive("layer_norm_eps", 1e-5);
    const activation = activationOf(config, "hidden_act", "gelu");
    const parallel = config.boolean("use_parallel_residual", true);
    const attentionBias = config.boolean("attention_bias", true);

    const rope = readRope(config, {
      headDim,
      share: 0.25,
      thetaField: "rotary_emb_base",
      shareField: "rotary_pct",
    });

    const affine = (name: string, out: number, input?: number) => ({
      weight: weights.get(`${name}.weight`, input === undefined ? [out] : [out, input]),
      bias: weights.get(`${name}.bias`, [out]),
    });
    const attentionAffine = (name: string, out: number, input: number) =>
      attentionBias ? affine(name, out, input) : { weight: weights.get(`${name}.weight`, [out, input]) };
    const { embedding: embedIn, head } = embeddings(
      config,
      weights,
      { input: "embed_in.weight", output: "embed_out.weight", tied: false },
      [config.integer("vocab_size"), d],
    );
    const blocks = perLayer(config.integer("num_hidden_layers"), (layer) => ({
      inputNorm: affine(`layers.${layer}.input_layernorm`, d),
      attention: attentionAffine(`layers.${layer}.attention.query_key_value`, 3 * d, d),
      projection: attentionAffine(`layers.${layer}.attention.dense`, d, d),
      postNorm: affine(`layers.${layer}.post_attention_layernorm`, d),
      up: affine(`layers.${layer}.mlp.dense_h_to_4h`, inner, d),
      down: affine(`layers.${layer}.mlp.dense_4h_to_h`, d, inner),
    }));
    const finalNorm = affine("final_layer_norm", d);
    type Block = (typeof blocks)[number];

    function attention(pass: ForwardPass, x: Value, layer: Block, tables: RotaryTables): Value {
      const { graph } = pass;
      const qkv = linear(graph, layerNorm(graph, x, layer.inputNorm, epsilon), layer.attention);
      const heads = { numHeads, numKvHeads: numHeads, headDim };
      const { q, k, v } = splitByHead(graph, qkv, heads);
      const attended = causalAttention(pass, {
        q: rotate(graph, q, numHeads, tables),
        k: rotate(graph, k, numHeads, tables),
        v,
        ...heads,
        scale: headDim ** -0.5,
      });
      return linear(graph, attended, layer.projection);
    }

    function mlp(graph: Graph, x: Value, layer: Block): Value {
      const inside = linear(graph, layerNorm(graph, x, layer.postNorm, epsilon), layer.up);
      return linear(graph, activate(graph, activation, inside), layer.down);
    }

    return {
      hiddenSize: d,
      maxPositions: rope.maxPositions,
      inputEmbedding: embedIn,
      head: {
        weight: head,
        ownName: "embed_out.weight",
      },
      finalNorm: { kind: "layer", ...finalNorm },
      numLayers: blocks.length,
      hiddenStates(pass) {
        const { graph, tokenIds } = pass;
        const tables = rotaryTables(pass, rope);
        return throughLayers(pass, blocks, {
          begin: () => embed(graph, embedIn, tokenIds),
          layer: (x, layer) => {
            const y = add(graph, x, attention(pass, x, layer, tables));
            return add(graph, y, mlp(graph, parallel ? x : y, layer));
          },
          end: (x) => layerNorm(graph, x, finalNorm, epsilon),
        });
      },
    };
  },
};
