import type { Graph, Value } from "../../engine/graph.js";
import type { Architecture, ForwardPass } from "../architecture.js";
import { causalAttention } from "../layers/attention.js";
import { type Affine, activate, activationOf, add, embed, layerNorm, linear } from "../layers/layers.js";
import { throughLayers } from "../layers/through-layers.js";
import { embeddings, perLayer } from "../weights.js";

/** Rows in front of the learned positions, which fairseq kept for padding. */
const positionOffset = 2;

/**
 * OPT (Zhang et al. 2022): learned positions, norms before each part, or after it in the 350M model, which also has
 * embeddings narrower than its blocks and a matrix on either side between them.
 */
export const opt: Architecture = {
  description: "OPT, Galactica: norms before or after (350m), word_embed_proj_dim, with or without biases",
  modelTypes: ["opt"],
  prefixes: ["model.decoder.", "decoder.", ""],
  describe(config, weights) {
    const d = config.integer("hidden_size");
    const numHeads = config.integer("num_attention_heads");
    if (d % numHeads !== 0)
      config.fail("num_attention_heads", `is ${numHeads}, which does not divide hidden_size = ${d}`);
    const inner = config.integer("ffn_dim");
    const width = config.integer("word_embed_proj_dim", d);
    const maxPositions = config.integer("max_position_embeddings");
    const activation = activationOf(config, "activation_function", "relu");
    const normsFirst = config.boolean("do_layer_norm_before", true);
    const normsHaveWeights = config.boolean("layer_norm_elementwise_affine", true);
    const biased = config.boolean("enable_bias", true);

    const map = (name: string, out: number, input: number): Affine => ({
      weight: weights.get(`${name}.weight`, [out, input]),
      bias: biased ? weights.get(`${name}.bias`, [out]) : undefined,
    });
    const norm = (name: string): Affine | undefined =>
      normsHaveWeights
        ? { weight: weights.get(`${name}.weight`, [d]), bias: weights.get(`${name}.bias`, [d]) }
        : undefined;
    const { embedding: embedTokens, head } = embeddings(
      config,
      weights,
      { input: "embed_tokens.weight", output: "lm_head.weight", tied: true },
      [config.integer("vocab_size"), width],
    );
    const embedPositions = weights.get("embed_positions.weight", [maxPositions + positionOffset, d]);
    const projectIn = width === d ? undefined : { weight: weights.get("project_in.weight", [d, width]) };
    const projectOut = width === d ? undefined : { weight: weights.get("project_out.weight", [width, d]) };
    const blocks = perLayer(config.integer("num_hidden_layers"), (layer) => ({
      attentionNorm: norm(`layers.${layer}.self_attn_layer_norm`),
      q: map(`layers.${layer}.self_attn.q_proj`, d, d),
      k: map(`layers.${layer}.self_attn.k_proj`, d, d),
      v: map(`layers.${layer}.self_attn.v_proj`, d, d),
      output: map(`layers.${layer}.self_attn.out_proj`, d, d),
      mlpNorm: norm(`layers.${layer}.final_layer_norm`),
      up: map(`layers.${layer}.fc1`, inner, d),
      down: map(`layers.${layer}.fc2`, d, inner),
    }));
    const endsInNorm = normsFirst && !config.boolean("_remove_final_layer_norm", false);
    const finalNorm = endsInNorm ? norm("final_layer_norm") : undefined;

    const normed = (graph: Graph, x: Value, weight: Affine | undefined) => layerNorm(graph, x, weight ?? d, 1e-5);

    /** x + part(norm(x)), or norm(x + part(x)). */
    function residual(graph: Graph, x: Value, weight: Affine | undefined, part: (x: Value) => Value): Value {
      return normsFirst ? add(graph, x, part(normed(graph, x, weight))) : normed(graph, add(graph, x, part(x)), weight);
    }

    function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number]): Value {
      const { graph } = pass;
      const attended = residual(graph, x, layer.attentionNorm, (input) => {
        const [q, k, v] = [layer.q, layer.k, layer.v].map((part) => linear(graph, input, part)) as [
          Value,
          Value,
          Value,
        ];
        const headDim = d / numHeads;
        const values = causalAttention(pass, {
          q,
          k,
          v,
          numHeads,
          numKvHeads: numHeads,
          headDim,
          scale: headDim ** -0.5,
        });
        return linear(graph, values, layer.output);
      });
      return residual(graph, attended, layer.mlpNorm, (input) =>
        linear(graph, activate(graph, activation, linear(graph, input, layer.up)), layer.down),
      );
    }

    return {
      hiddenSize: width,
      maxPositions,
      inputEmbedding: embedTokens,
      head: { weight: head },
      finalNorm: endsInNorm && !projectOut ? { kind: "layer", ...finalNorm } : undefined,
      numLayers: blocks.length,
      streamSize: d,
      hiddenStates(pass) {
        const { graph, tokenIds, positions } = pass;
        return throughLayers(pass, blocks, {
          begin() {
            const rows = graph.op("Add", [positions, graph.constant(BigInt64Array.of(BigInt(positionOffset)))]);
            const tokens = embed(graph, embedTokens, tokenIds);
            return add(
              graph,
              projectIn ? linear(graph, tokens, projectIn) : tokens,
              embed(graph, embedPositions, rows),
            );
          },
          layer: (x, layer) => block(pass, x, layer),
          end(x) {
            const last = endsInNorm ? normed(graph, x, finalNorm) : x;
            return projectOut ? linear(graph, last, projectOut) : last;
          },
        });
      },
    };
  },
};
