import type { Graph, Value } from "../../engine/graph.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { ForwardPass, ModelDescription } from "../architecture.js";
import type { Config } from "../config.js";
import type { HeadTransform } from "../head/head-transform.js";
import { embeddings, perLayer, type Weights } from "../weights.js";
import { causalAttention } from "./attention.js";
import {
  type Activation,
  type Affine,
  activate,
  add,
  embed,
  linear,
  reshape,
  rmsNorm,
  scaled,
  splitLast,
} from "./layers.js";
import type { Rope } from "./rope.js";
import { type RotaryTables, rotaryTables, rotate } from "./rotary.js";

/** What distinguishes one family of Llama-like decoders from the next: RMS norms, rotary positions, gated MLP. */
export interface DecoderChoices {
  /** Numbers in each head of q, k and v. */
  readonly headDim: number;
  /** Names of a block's norms, each for the place it is at; a family leaves out those it lacks. */
  readonly norms: {
    readonly beforeAttention?: string;
    readonly afterAttention?: string;
    readonly beforeMlp?: string;
    readonly afterMlp?: string;
  };
  readonly epsilon: number;
  /** 1 where norms store their weight less one. */
  readonly weightOffset?: 0 | 1;
  /** Norms of q and k, each head by itself or all heads as one vector. */
  readonly queryKeyNorms?: "each head" | "all heads";
  /** Whether q, k and v are one matrix, and so gate and up. */
  readonly fused?: boolean;
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  readonly activation: Activation;
  /** Factor on q . k; headDim^(-1/2) if left out. */
  readonly attentionScale?: number;
  readonly attentionSoftCap?: number | undefined;
  readonly embeddingScale?: number;
  /** Factor on what attention and MLP add to the residual stream. */
  readonly residualScale?: number;
  /** Rotary positions of a layer; layers with the same object share their tables. */
  readonly rope: (layer: number) => Rope;
  /** How many positions a token of this layer sees; undefined if all before it. */
  readonly window?: (layer: number) => number | undefined;
  readonly maxPositions: number;
  /** Whether the head is the input embedding where the config doesn't say. */
  readonly tied: boolean;
  readonly headTransform?: HeadTransform;
}

/** Heads of q and of k and v. @throws InputError if they don't divide */
export function headCounts(config: Config): { numHeads: number; numKvHeads: number } {
  const numHeads = config.integer("num_attention_heads");
  const numKvHeads = config.integer("num_key_value_heads", numHeads);
  if (numHeads % numKvHeads !== 0) {
    config.fail("num_key_value_heads", `is ${numKvHeads}, which does not divide num_attention_heads = ${numHeads}`);
  }
  return { numHeads, numKvHeads };
}

/** `head_dim`, or the share of hidden_size that falls to each head. @throws InputError if that is none or odd */
export function headDimOf(config: Config, fallback?: number): number {
  const share = Math.floor(config.integer("hidden_size") / config.integer("num_attention_heads"));
  const headDim = config.integer("head_dim", fallback ?? share);
  if (headDim % 2 !== 0 || headDim === 0) {
    config.fail(
      config.has("head_dim") ? "head_dim" : "num_attention_heads",
      `gives heads of ${headDim} numbers; rotary positions want an even number`,
    );
  }
  return headDim;
}

/** A decoder with these choices. Names of tensors are those of transformers' LlamaForCausalLM. */
export function llamaLike(config: Config, weights: Weights, choices: DecoderChoices): ModelDescription {
  const d = config.integer("hidden_size");
  const { numHeads, numKvHeads } = headCounts(config);
  const { embedding, head } = embeddings(
    config,
    weights,
    { input: "embed_tokens.weight", output: "lm_head.weight", tied: choices.tied },
    [config.integer("vocab_size"), d],
  );
  const blocks = perLayer(config.integer("num_hidden_layers"), (index) => ({
    ...blockWeights(config, weights, choices, `layers.${index}`),
    rope: choices.rope(index),
    window: choices.window?.(index),
  }));
  const finalNorm = weights.get("norm.weight", [d]);
  return {
    hiddenSize: d,
    maxPositions: choices.maxPositions,
    inputEmbedding: embedding,
    head: {
      weight: head,
      transform: choices.headTransform,
    },
    finalNorm: { kind: "rms", weight: finalNorm, weightOffset: choices.weightOffset },
    hiddenStates(pass) {
      const { graph } = pass;
      const tables = tablesOf(pass);
      let x = scaled(graph, embed(graph, embedding, pass.tokenIds), choices.embeddingScale ?? 1);
      for (const layer of blocks) x = block(pass, x, layer, { ...choices, numHeads, numKvHeads }, tables(layer.rope));
      return norm(graph, x, finalNorm, choices);
    },
  };
}

type Sized = DecoderChoices & { readonly numHeads: number; readonly numKvHeads: number };
type Block = ReturnType<typeof blockWeights> & { readonly window: number | undefined };

function blockWeights(config: Config, weights: Weights, choices: DecoderChoices, prefix: string) {
  const d = config.integer("hidden_size");
  const inner = config.integer("intermediate_size");
  const { numHeads, numKvHeads } = headCounts(config);
  const { headDim, norms, biases, queryKeyNorms, fused = false } = choices;
  const [qSize, kvSize] = [numHeads * headDim, numKvHeads * headDim];
  const affine = (name: string, out: number, input: number, biased: boolean): Affine => ({
    weight: weights.get(`${prefix}.${name}.weight`, [out, input]),
    bias: biased ? weights.get(`${prefix}.${name}.bias`, [out]) : undefined,
  });
  const vector = (name: string | undefined, size = d) =>
    name === undefined ? undefined : weights.get(`${prefix}.${name}.weight`, [size]);
  const attention = (name: string, out: number) => affine(`self_attn.${name}`, out, d, biases.qkv);
  const mlp = (name: string, out: number) => affine(`mlp.${name}`, out, d, biases.mlp);
  return {
    beforeAttention: vector(norms.beforeAttention),
    afterAttention: vector(norms.afterAttention),
    beforeMlp: vector(norms.beforeMlp),
    afterMlp: vector(norms.afterMlp),
    qkv: fused
      ? [attention("qkv_proj", qSize + 2 * kvSize)]
      : [attention("q_proj", qSize), attention("k_proj", kvSize), attention("v_proj", kvSize)],
    qNorm: vector(queryKeyNorms && "self_attn.q_norm", queryKeyNorms === "each head" ? headDim : qSize),
    kNorm: vector(queryKeyNorms && "self_attn.k_norm", queryKeyNorms === "each head" ? headDim : kvSize),
    output: affine("self_attn.o_proj", d, qSize, biases.output),
    gateUp: fused ? [mlp("gate_up_proj", 2 * inner)] : [mlp("gate_proj", inner), mlp("up_proj", inner)],
    down: affine("mlp.down_proj", d, inner, biases.mlp),
    inner,
  };
}

function block(pass: ForwardPass, x: Value, layer: Block, choices: Sized, tables: RotaryTables): Value {
  const { graph } = pass;
  const added = (base: Value, change: Value) => add(graph, base, scaled(graph, change, choices.residualScale ?? 1));
  const attended = attention(pass, norm(graph, x, layer.beforeAttention, choices), layer, choices, tables);
  const y = added(x, norm(graph, attended, layer.afterAttention, choices));
  const inside = mlp(graph, norm(graph, y, layer.beforeMlp, choices), layer, choices);
  return added(y, norm(graph, inside, layer.afterMlp, choices));
}

function attention(pass: ForwardPass, x: Value, layer: Block, choices: Sized, tables: RotaryTables): Value {
  const { graph } = pass;
  const { numHeads, numKvHeads, headDim } = choices;
  const [q, k, v] = project(graph, x, layer.qkv, [numHeads * headDim, numKvHeads * headDim, numKvHeads * headDim]) as [
    Value,
    Value,
    Value,
  ];
  const attended = causalAttention(pass, {
    q: rotate(graph, headNorm(graph, q, layer.qNorm, numHeads, choices), numHeads, tables),
    k: rotate(graph, headNorm(graph, k, layer.kNorm, numKvHeads, choices), numKvHeads, tables),
    v,
    numHeads,
    numKvHeads,
    headDim,
    scale: choices.attentionScale ?? headDim ** -0.5,
    window: layer.window,
    softCap: choices.attentionSoftCap,
  });
  return linear(graph, attended, layer.output);
}

function mlp(graph: Graph, x: Value, layer: Block, { activation }: Sized): Value {
  const [gate, up] = project(graph, x, layer.gateUp, [layer.inner, layer.inner]) as [Value, Value];
  return linear(graph, graph.op("Mul", [activate(graph, activation, gate), up]), layer.down);
}

/** Several projections of x, from a matrix each or from one that holds them below one another. */
function project(graph: Graph, x: Value, maps: readonly Affine[], sizes: readonly number[]): Value[] {
  const [only, ...others] = maps as [Affine, ...Affine[]];
  return others.length === 0
    ? splitLast(graph, linear(graph, x, only), sizes)
    : maps.map((map) => linear(graph, x, map));
}

function norm(graph: Graph, x: Value, weight: TensorEntry | undefined, choices: DecoderChoices): Value {
  return weight === undefined ? x : rmsNorm(graph, x, weight, choices.epsilon, choices.weightOffset);
}

/** The norm of q or k. @param x [batch, time, numHeads * headDim] */
function headNorm(graph: Graph, x: Value, weight: TensorEntry | undefined, numHeads: number, choices: Sized): Value {
  if (weight === undefined || choices.queryKeyNorms === "all heads") return norm(graph, x, weight, choices);
  const { headDim } = choices;
  return reshape(graph, norm(graph, reshape(graph, x, [0, 0, numHeads, headDim]), weight, choices), [
    0,
    0,
    numHeads * headDim,
  ]);
}

/** Rotary tables of a pass, made once for each rope. */
function tablesOf(pass: ForwardPass): (rope: Rope) => RotaryTables {
  const made = new Map<Rope, RotaryTables>();
  return (rope) => {
    const tables = made.get(rope) ?? rotaryTables(pass, rope);
    made.set(rope, tables);
    return tables;
  };
}
