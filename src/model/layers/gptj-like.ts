import type { Graph, Value } from "../../engine/graph.js";
import type { ForwardPass, ModelDescription } from "../architecture.js";
import type { Config } from "../config.js";
import { embeddings, perLayer, type Weights } from "../weights.js";
import { causalAttention } from "./attention.js";
import { activate, activationOf, add, embed, layerNorm, linear } from "./layers.js";
import { plainRope } from "./rope.js";
import { type RotaryTables, rotaryTables, rotate } from "./rotary.js";
import { throughLayers } from "./through-layers.js";

/** Finds the weights that make q, k and v. @param name of a layer's attention @param d hidden size */
export type QueryKeyValue = (name: string, d: number) => (graph: Graph, x: Value) => [q: Value, k: Value, v: Value];

/**
 * A decoder as GPT-J: attention and MLP side by side behind one norm, rotary positions on neighbouring numbers of a part of
 * each head, and a head with a bias.
 * @param queryKeyValue how the family stores the projections of q, k and v
 */
export function gptjLike(config: Config, weights: Weights, queryKeyValue: QueryKeyValue): ModelDescription {
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
  const { embedding: wte, head } = embeddings(
    config,
    weights,
    { input: "wte.weight", output: "lm_head.weight", tied: false },
    [config.integer("vocab_size"), d],
  );
  const blocks = perLayer(config.integer("n_layer"), (layer) => ({
    norm: affine(`h.${layer}.ln_1`, d),
    project: queryKeyValue(`h.${layer}.attn`, d),
    output: { weight: weights.get(`h.${layer}.attn.out_proj.weight`, [d, d]) },
    up: affine(`h.${layer}.mlp.fc_in`, inner, d),
    down: affine(`h.${layer}.mlp.fc_out`, d, inner),
  }));
  const finalNorm = affine("ln_f", d);

  function block(pass: ForwardPass, x: Value, layer: (typeof blocks)[number], tables: RotaryTables): Value {
    const { graph } = pass;
    const normed = layerNorm(graph, x, layer.norm, epsilon);
    const [q, k, v] = layer.project(graph, normed);
    const attended = causalAttention(pass, {
      q: rotate(graph, q, numHeads, tables, "neighbours"),
      k: rotate(graph, k, numHeads, tables, "neighbours"),
      v,
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
    numLayers: blocks.length,
    hiddenStates(pass) {
      const { graph, tokenIds } = pass;
      const tables = rotaryTables(pass, rope);
      return throughLayers(pass, blocks, {
        begin: () => embed(graph, wte, tokenIds),
        layer: (x, layer) => block(pass, x, layer, tables),
        end: (x) => layerNorm(graph, x, finalNorm, epsilon),
      });
    },
  };
}
