import type { Graph, Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { type Config, eitherField } from "../config.js";
import { bloomSlopes, roundedAlibi } from "../layers/alibi.js";
import { causalAttention, splitByHead } from "../layers/attention.js";
import { type Affine, activate, activationOf, add, embed, layerNorm, linear } from "../layers/layers.js";
import { readRope } from "../layers/rope.js";
import { type RotaryTables, rotaryTables, rotate } from "../layers/rotary.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/**
 * Falcon (Almazrouei et al. 2023). 7B: attention and MLP side by side behind one LayerNorm, one head of k and v for all of q.
 * 40B, 180B and Falcon 2 ("new_decoder_architecture"): groups of heads, and a norm for each part or one for both. RW: one after
 * the other, linear biases in place of rotary positions.
 */
export const falcon: Architecture = {
  description:
    "Falcon 7B, 40B, 180B, RW and Falcon 2: multi_query, new_decoder_architecture, num_ln_in_parallel_attn, parallel_attn, alibi (added once, as by sdpa), biases; rope as Llama",
  modelTypes: ["falcon"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    const d = config.integer(eitherField(config, "n_embed", "hidden_size"));
    const inner = config.integer("ffn_hidden_size", 4 * d);
    const heads = headsOf(config, d);
    const { numHeads, numKvHeads, headDim } = heads;
    const order = normOrder(config);
    const biased = config.boolean("bias", false);
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    const activation = activationOf(config, "activation", "gelu");
    const scale = headDim ** -0.5;
    const bias = config.boolean("alibi", false) ? roundedAlibi(bloomSlopes(numHeads), scale) : undefined;
    if (bias === undefined && headDim % 2 !== 0) {
      config.fail("num_attention_heads", `gives heads of ${headDim} numbers; rotary positions want an even number`);
    }
    const rope = bias === undefined ? readRope(config, { headDim }) : undefined;

    const norm = (name: string): Affine => ({
      weight: weights.get(`${name}.weight`, [d]),
      bias: weights.get(`${name}.bias`, [d]),
    });
    const matrix = (name: string, out: number, input: number): Affine => ({
      weight: weights.get(`${name}.weight`, [out, input]),
      bias: biased ? weights.get(`${name}.bias`, [out]) : undefined,
    });
    const { embedding, head } = embeddings(
      config,
      weights,
      { input: "word_embeddings.weight", output: "lm_head.weight", tied: true },
      [config.integer("vocab_size"), d],
    );
    const blocks = perLayer(config.integer("num_hidden_layers"), (layer) => ({
      attentionNorm: norm(`h.${layer}.${order === "a norm each" ? "ln_attn" : "input_layernorm"}`),
      mlpNorm:
        order === "one norm"
          ? undefined
          : norm(`h.${layer}.${order === "a norm each" ? "ln_mlp" : "post_attention_layernorm"}`),
      attention: matrix(`h.${layer}.self_attention.query_key_value`, (numHeads + 2 * numKvHeads) * headDim, d),
      projection: matrix(`h.${layer}.self_attention.dense`, d, d),
      up: matrix(`h.${layer}.mlp.dense_h_to_4h`, inner, d),
      down: matrix(`h.${layer}.mlp.dense_4h_to_h`, d, inner),
    }));
    const finalNorm = norm("ln_f");
    type Block = (typeof blocks)[number];

    function attention(pass: ForwardPass, x: Value, layer: Block, tables: RotaryTables | undefined): Value {
      const { graph } = pass;
      const { q, k, v } = splitByHead(graph, linear(graph, x, layer.attention), heads);
      const placed = (part: Value, count: number) => (tables === undefined ? part : rotate(graph, part, count, tables));
      const attended = causalAttention(pass, {
        q: placed(q, numHeads),
        k: placed(k, numKvHeads),
        v,
        ...heads,
        scale,
        bias,
      });
      return linear(graph, attended, layer.projection);
    }

    function mlp(graph: Graph, x: Value, layer: Block): Value {
      return linear(graph, activate(graph, activation, linear(graph, x, layer.up)), layer.down);
    }

    function block(pass: ForwardPass, x: Value, layer: Block, tables: RotaryTables | undefined): Value {
      const { graph } = pass;
      const normed = layerNorm(graph, x, layer.attentionNorm, epsilon);
      const y = add(graph, x, attention(pass, normed, layer, tables));
      if (layer.mlpNorm === undefined) return add(graph, y, mlp(graph, normed, layer));
      const before = order === "a norm each" ? x : y;
      return add(graph, y, mlp(graph, layerNorm(graph, before, layer.mlpNorm, epsilon), layer));
    }

    return {
      hiddenSize: d,
      maxPositions: rope?.maxPositions,
      inputEmbedding: embedding,
      head: { weight: head },
      finalNorm: { kind: "layer", ...finalNorm },
      numLayers: blocks.length,
      hiddenStates(pass) {
        const { graph, tokenIds } = pass;
        const tables = rope && rotaryTables(pass, rope);
        return throughLayers(pass, blocks, {
          begin: () => embed(graph, embedding, tokenIds),
          layer: (x, layer) => block(pass, x, layer, tables),
          end: (x) => layerNorm(graph, x, finalNorm, epsilon),
        });
      },
    };
  },
};

function headsOf(config: Config, d: number) {
  const numHeads = config.integer("num_attention_heads");
  if (d % numHeads !== 0) config.fail("num_attention_heads", `is ${numHeads}, which does not divide ${d}`);
  const grouped = config.boolean("new_decoder_architecture", false);
  const given = config.integer("num_kv_heads", numHeads);
  if (grouped && numHeads % given !== 0) {
    config.fail("num_kv_heads", `is ${given}, which does not divide num_attention_heads = ${numHeads}`);
  }
  const single = config.boolean("multi_query", true);
  if (!grouped && !single && given !== numHeads) {
    config.fail(
      "num_kv_heads",
      `is ${given}; without new_decoder_architecture it is num_attention_heads = ${numHeads}`,
    );
  }
  return { numHeads, numKvHeads: !grouped && single ? 1 : given, headDim: d / numHeads };
}

/** Whether attention and MLP are side by side, behind one norm or one each, or one after the other. */
function normOrder(config: Config): "one norm" | "a norm each" | "in turn" {
  const grouped = config.boolean("new_decoder_architecture", false);
  if (grouped) config.mustBe("parallel_attn", true);
  if (!config.boolean("parallel_attn", true)) return "in turn";
  const norms = config.integer("num_ln_in_parallel_attn", grouped ? 2 : 1);
  if (norms > 2) config.fail("num_ln_in_parallel_attn", `is ${norms}; 1 or 2 is wanted`);
  if (norms === 2 && !grouped) {
    config.fail("num_ln_in_parallel_attn", "is 2; without new_decoder_architecture only 1 is supported");
  }
  return norms === 2 ? "a norm each" : "one norm";
}
