import type { Graph, Value } from "../../engine/graph.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { causalAttention } from "../layers/attention.js";
import { layerWindows, slidingWindow } from "../layers/attention-windows.js";
import { type Affine, activate, activationOf, add, embed, layerNorm, linear, reshape } from "../layers/layers.js";
import { headCounts, headDimOf } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";
import { type RotaryTables, rotaryTables, rotate } from "../layers/rotary.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/**
 * Command R (Cohere 2024): attention and gated MLP side by side behind one LayerNorm without bias, rotary positions on
 * neighbouring numbers, logits times a factor. Command R7B and A ("cohere2") alternate windows, whose layers have
 * rotary positions, with layers that see everything and have no positions at all.
 */
export const cohere: Architecture = {
  description: "Command R and Aya (cohere), Command R7B and A (cohere2): logit scale, norms on q and k, windows",
  modelTypes: ["cohere", "cohere2"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const alternates = config.string("model_type") === "cohere2";
    const d = config.integer("hidden_size");
    const inner = config.integer("intermediate_size");
    const { numHeads, numKvHeads } = headCounts(config);
    const headDim = headDimOf(config);
    const epsilon = config.positive("layer_norm_eps", 1e-5);
    const activation = activationOf(config, "hidden_act", "silu");
    const rope = readRope(config, { headDim, theta: alternates ? 10_000 : 500_000 });
    const biased = config.boolean("attention_bias", false);
    const normsHeads = !alternates && config.boolean("use_qk_norm", false);
    const pattern = config.integer("sliding_window_pattern", 4);
    const window = alternates
      ? layerWindows(config, slidingWindow(config), (layer) => (layer + 1) % pattern !== 0)
      : () => undefined;

    const matrix = (name: string, out: number, input: number, hasBias = false): Affine => ({
      weight: weights.get(`${name}.weight`, [out, input]),
      bias: hasBias ? weights.get(`${name}.bias`, [out]) : undefined,
    });
    const headNorm = (name: string, count: number) =>
      normsHeads ? weights.get(`${name}.weight`, [count, headDim]) : undefined;
    const { embedding, head } = embeddings(
      config,
      weights,
      { input: "embed_tokens.weight", output: "lm_head.weight", tied: true },
      [config.integer("vocab_size"), d],
    );
    const blocks = perLayer(config.integer("num_hidden_layers"), (layer) => ({
      norm: { weight: weights.get(`layers.${layer}.input_layernorm.weight`, [d]) },
      q: matrix(`layers.${layer}.self_attn.q_proj`, numHeads * headDim, d, biased),
      k: matrix(`layers.${layer}.self_attn.k_proj`, numKvHeads * headDim, d, biased),
      v: matrix(`layers.${layer}.self_attn.v_proj`, numKvHeads * headDim, d, biased),
      qNorm: headNorm(`layers.${layer}.self_attn.q_norm`, numHeads),
      kNorm: headNorm(`layers.${layer}.self_attn.k_norm`, numKvHeads),
      output: matrix(`layers.${layer}.self_attn.o_proj`, d, numHeads * headDim, biased),
      gate: matrix(`layers.${layer}.mlp.gate_proj`, inner, d),
      up: matrix(`layers.${layer}.mlp.up_proj`, inner, d),
      down: matrix(`layers.${layer}.mlp.down_proj`, d, inner),
      window: window(layer),
    }));
    const finalNorm = { weight: weights.get("norm.weight", [d]) };
    type Block = (typeof blocks)[number];

    /** LayerNorm of each head with a weight of its own. @param x [batch, time, count * headDim] */
    function normed(graph: Graph, x: Value, weight: TensorEntry | undefined, count: number): Value {
      if (weight === undefined) return x;
      const perHead = layerNorm(graph, reshape(graph, x, [0, 0, count, headDim]), headDim, epsilon);
      return reshape(graph, graph.op("Mul", [perHead, graph.weightFloat32(weight)]), [0, 0, count * headDim]);
    }

    function attention(pass: ForwardPass, x: Value, layer: Block, tables: RotaryTables): Value {
      const { graph } = pass;
      const placed = (value: Value, count: number) =>
        alternates && layer.window === undefined ? value : rotate(graph, value, count, tables, "neighbours");
      const attended = causalAttention(pass, {
        q: placed(normed(graph, linear(graph, x, layer.q), layer.qNorm, numHeads), numHeads),
        k: placed(normed(graph, linear(graph, x, layer.k), layer.kNorm, numKvHeads), numKvHeads),
        v: linear(graph, x, layer.v),
        numHeads,
        numKvHeads,
        headDim,
        scale: headDim ** -0.5,
        window: layer.window,
      });
      return linear(graph, attended, layer.output);
    }

    function mlp(graph: Graph, x: Value, layer: Block): Value {
      const gate = activate(graph, activation, linear(graph, x, layer.gate));
      return linear(graph, graph.op("Mul", [gate, linear(graph, x, layer.up)]), layer.down);
    }

    return {
      hiddenSize: d,
      maxPositions: rope.maxPositions,
      inputEmbedding: embedding,
      head: {
        weight: head,
        transform: { scale: config.positive("logit_scale", 0.0625) },
      },
      finalNorm: { kind: "layer", ...finalNorm },
      numLayers: blocks.length,
      hiddenStates(pass) {
        const { graph, tokenIds } = pass;
        const tables = rotaryTables(pass, rope);
        return throughLayers(pass, blocks, {
          begin: () => embed(graph, embedding, tokenIds),
          layer: (x, layer) => {
            const input = layerNorm(graph, x, layer.norm, epsilon);
            return add(graph, x, add(graph, attention(pass, input, layer, tables), mlp(graph, input, layer)));
          },
          end: (x) => layerNorm(graph, x, finalNorm, epsilon),
        });
      },
    };
  },
};
