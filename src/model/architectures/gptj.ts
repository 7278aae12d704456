import type { Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { causalAttention } from "../layers/attention.js";
import { activate, activationOf, add, embed, layerNorm, linear } from "../layers/layers.js";
import { plainRope } from "../layers/rope.js";
import { type RotaryTables, rotaryTables, rotate } from "../layers/rotary.js";
import { embeddings, perLayer } from "../weights.js";

/**
 * GPT-J (Wang and Komatsuzaki 2021): rotary positions on neighbouring numbers of a part of each head, attention and MLP
 * side by side behind one norm, no biases in attention, a head with a bias.
 */
export const gptj: Architecture = {
  description: "GPT-J: rotary positions on rotary_dim numbers of each head, output bias",
  modelTypes: ["gptj"],
  prefixes: ["transformer.", ""],
  describe(config, weights) {
    const d = config.integer("n_embd");
    const numHeads = config.integer("n_head");
    if (d % numHeads !== 0) config.fail("n_head", `is ${numHeads}, which does not divide n_embd = ${d}`);
    const headDim = d / numHeads;
    if (config.isNull("rotary_dim")) config.fail("rotary_dim", "is null; how much of each head is rotated is wanted");
    const rotated = config.integer("rotary_dim", 64);
    if (rotated % 2 !== 0 || rotated > headDim) {
      config.fail("rotary_dim", `is ${rotated}; an even number up to the head size ${headDim} is wanted`);
    }
    const inner = config.integer("n_inner", 4 * d);
    const maxPositions = config.integer("n_positions");
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    const activation = activationOf(config, "activation_function", "gelu_new");
    const rope = plainRope({ theta: 10_000, rotated, maxPositions });

    const affine = (name: string, ...shape: number[]) => ({
      weight: weights.get(`${name}.weight`, shape),
      bias: weights.get(`${name}.bias`, shape.slice(0, 1)),
    });
    const matrix = (name: string) => ({ weight: weights.get(`${name}.weight`, [d, d]) });
    const { embedding: wte, head } = embeddings(
      config,
      weights,
      { input: "wte.weight", output: "lm_head.weight", tied: false },
      [config.integer("vocab_size"), d],
    );
    const blocks = perLayer(config.integer("n_layer"), (layer) => ({
      norm: affine(`h.${layer}.ln_1`, d),
      q: matrix(`h.${layer}.attn.q_proj`),
      k: matrix(`h.${layer}.attn.k_proj`),
      v: matrix(`h.${layer}.attn.v_proj`),
      output: matrix(`h.${layer}.attn.out_proj`),
      up: affine(`h.${layer}.mlp.fc_in`, inner, d),
      down: affine(`h.${layer}.mlp.fc_out`, d, inner),
    }));
    const finalNorm = affine("ln_f", d);

    function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number], tables: RotaryTables): Value {
      const { graph } = pass;
      const normed = layerNorm(graph, x, layer.norm, epsilon);
      const attended = causalAttention(pass, {
        q: rotate(graph, linear(graph, normed, layer.q), numHeads, tables, "neighbours"),
        k: rotate(graph, linear(graph, normed, layer.k), numHeads, tables, "neighbours"),
        v: linear(graph, normed, layer.v),
        numHeads,
        numKvHeads: numHeads,
        headDim,
        scale: headDim ** -0.5,
      });
      const inside = activate(graph, activation, linear(graph, normed, layer.up));
      const parts = add(graph, linear(graph, attended, layer.output), linear(graph, inside, layer.down));
      return add(graph, x, parts);
    }

    return {
      hiddenSize: d,
      maxPositions,
      inputEmbedding: wte,
      head: {
        weight: head,
        bias: weights.get("lm_head.bias", [wte.shape[0]]),
      },
      finalNorm: { kind: "layer", ...finalNorm },
      hiddenStates(pass) {
        const { graph, tokenIds } = pass;
        const tables = rotaryTables(pass, rope);
        let x = embed(graph, wte, tokenIds);
        for (const layer of blocks) x = block(pass, x, layer, tables);
        return layerNorm(graph, x, finalNorm, epsilon);
      },
    };
  },
};
