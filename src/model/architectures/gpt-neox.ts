import type { Graph, Value } from "../../engine/graph.js";
import type { Architecture } from "../architecture.js";
import { activate, activationOf, add, causalAttention, embed, layerNorm, linear } from "../layers.js";
import { inverseFrequencies, type RotaryTables, rotaryTables, rotate } from "../rotary.js";

/**
 * GPT-NeoX and Pythia (Black et al. 2022): rotary positions on a part of each head, q/k/v fused head by head,
 * attention and MLP added in parallel or one after the other, untied head.
 */
export const gptNeox: Architecture = {
  modelTypes: ["gpt_neox"],
  prefixes: ["gpt_neox.", ""],
  describe(config, weights) {
    const d = config.integer("hidden_size");
    const heads = config.integer("num_attention_heads");
    if (d % heads !== 0) config.fail("num_attention_heads", `is ${heads}, which does not divide hidden_size = ${d}`);
    const size = d / heads;
    const inner = config.integer("intermediate_size");
    const epsilon = config.number("layer_norm_eps", 1e-5);
    const activation = activationOf(config, "hidden_act", "gelu");
    const parallel = config.boolean("use_parallel_residual", true);
    const attentionBias = config.boolean("attention_bias", true);

    // transformers 5 gathers in rope_parameters what transformers 4 wrote beside one another.
    const rope = config.object("rope_parameters");
    rope?.mustBe("rope_type", "default");
    if (config.has("rope_scaling")) config.fail("rope_scaling", "is set; scaled rotary positions are not supported");
    const theta = rope?.number("rope_theta", 10_000) ?? config.number("rotary_emb_base", 10_000);
    const share = rope?.number("partial_rotary_factor", 0.25) ?? config.number("rotary_pct", 0.25);
    const rotated = Math.floor(size * share);
    if (rotated % 2 !== 0 || rotated < 2 || rotated > size) {
      config.fail(
        "rotary_pct",
        `= ${share} rotates ${rotated} of each head's ${size} numbers; an even number is wanted`,
      );
    }

    const affine = (name: string, out: number, input?: number) => ({
      weight: weights.get(`${name}.weight`, input === undefined ? [out] : [out, input]),
      bias: weights.get(`${name}.bias`, [out]),
    });
    const attentionAffine = (name: string, out: number, input: number) =>
      attentionBias ? affine(name, out, input) : { weight: weights.get(`${name}.weight`, [out, input]) };
    const embedIn = weights.get("embed_in.weight", [config.integer("vocab_size"), d]);
    const blocks = Array.from({ length: config.integer("num_hidden_layers") }, (_, layer) => ({
      inputNorm: affine(`layers.${layer}.input_layernorm`, d),
      attention: attentionAffine(`layers.${layer}.attention.query_key_value`, 3 * d, d),
      projection: attentionAffine(`layers.${layer}.attention.dense`, d, d),
      postNorm: affine(`layers.${layer}.post_attention_layernorm`, d),
      up: affine(`layers.${layer}.mlp.dense_h_to_4h`, inner, d),
      down: affine(`layers.${layer}.mlp.dense_4h_to_h`, d, inner),
    }));
    const finalNorm = affine("final_layer_norm", d);
    type Block = (typeof blocks)[number];

    function attention(graph: Graph, x: Value, layer: Block, tables: RotaryTables): Value {
      const qkv = linear(graph, layerNorm(graph, x, layer.inputNorm, epsilon), layer.attention);
      const perHead = graph.op("Reshape", [
        qkv,
        graph.constant(BigInt64Array.of(0n, 0n, BigInt(heads), BigInt(3 * size))),
      ]);
      const [q, k, v] = graph
        .ops("Split", [perHead], 3, { axis: -1, num_outputs: 3 })
        .map((part) => graph.op("Reshape", [part, graph.constant(BigInt64Array.of(0n, 0n, BigInt(d)))])) as [
        Value,
        Value,
        Value,
      ];
      const attended = causalAttention(graph, {
        q: rotate(graph, q, heads, tables),
        k: rotate(graph, k, heads, tables),
        v,
        heads,
        scale: size ** -0.5,
      });
      return linear(graph, attended, layer.projection);
    }

    function mlp(graph: Graph, x: Value, layer: Block): Value {
      const inside = linear(graph, layerNorm(graph, x, layer.postNorm, epsilon), layer.up);
      return linear(graph, activate(graph, activation, inside), layer.down);
    }

    return {
      hiddenSize: d,
      maxPositions: config.integer("max_position_embeddings"),
      inputEmbedding: embedIn,
      head: {
        weight: config.boolean("tie_word_embeddings", false) ? embedIn : weights.get("embed_out.weight", embedIn.shape),
      },
      hiddenStates({ graph, tokenIds, positions }) {
        const tables = rotaryTables(graph, positions, inverseFrequencies(theta, rotated));
        let x = embed(graph, embedIn, tokenIds);
        for (const layer of blocks) {
          const y = add(graph, x, attention(graph, x, layer, tables));
          x = add(graph, y, mlp(graph, parallel ? x : y, layer));
        }
        return layerNorm(graph, x, finalNorm, epsilon);
      },
    };
  },
};
