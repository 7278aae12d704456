import type { Graph, Value } from "../../engine/graph.js";
import type { ForwardPass, ModelDescription } from "../architecture.js";
import type { Config } from "../config.js";
import type { HeadTransform } from "../head/head-transform.js";
import { embeddings, perLayer, type Weights } from "../weights.js";
import { causalAttention } from "./attention.js";
import { affineReader, type FeedForward, gatedMlp, project } from "./feed-forward.js";
import {
  type Activation,
  type Affine,
  activate,
  add,
  clipped,
  embed,
  layerNorm,
  linear,
  reshape,
  rmsNorm,
  scaled,
  splitLast,
} from "./layers.js";
import type { Rope } from "./rope.js";
import { type RotatedPairs, rotaryTables, rotate } from "./rotary.js";
import { throughLayers } from "./through-layers.js";

/** What distinguishes one family of Llama-like decoders from the next: norms, rotary positions, MLP, and their order. */
export interface DecoderChoices {
  /** Numbers in each head of q, k and v. */
  readonly headDim: number;
  /** Heads of k and v in configs that don't say; as many as q has if left out. */
  readonly usualKvHeads?: number;
  /** Names of a block's norms, each for the place it is at; a family leaves out those it lacks. */
  readonly norms: {
    readonly beforeAttention?: string;
    readonly afterAttention?: string;
    readonly beforeMlp?: string | undefined;
    readonly afterMlp?: string;
  };
  /** LayerNorms in place of root mean squares, and what they store: weight and bias, or nothing. */
  readonly layerNorms?: "with bias" | "bare";
  readonly epsilon: number;
  /** 1 where norms store their weight less one. */
  readonly weightOffset?: 0 | 1;
  /** Root mean square norms of q and k, each head by itself or all heads as one vector; or a norm of the family's own. */
  readonly queryKeyNorms?: "each head" | "all heads" | HeadNormReader | undefined;
  /** Whether gate and up are one matrix, or that and q, k and v another. */
  readonly fused?: "gate and up" | "q, k, v and gate and up";
  /** Names of the two matrices of an MLP that has no gate. */
  readonly plainMlp?: { readonly up: string; readonly down: string };
  /** Whether attention and MLP are side by side behind the norm before attention. */
  readonly parallel?: boolean;
  /** Names of other parts, where they are not Llama's. */
  readonly names?: { readonly attentionOutput?: string; readonly finalNorm?: string };
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean; readonly head?: boolean };
  readonly activation: Activation;
  /** What a layer has in place of attention; undefined in layers with attention. @param prefix of its tensors */
  readonly mixer?: (layer: number, prefix: string) => Mixer | undefined;
  /** Whether q_proj gives each head as many numbers again, whose sigmoids are factors on what the head attends to. */
  readonly gated?: boolean;
  /** What a layer has in place of an MLP of `intermediate_size`; undefined in layers that have that. */
  readonly feedForward?: (layer: number) => FeedForward | undefined;
  /** Largest magnitude of a number of q, k and v, behind the norms of q and k. */
  readonly clip?: number | undefined;
  /** Name of a block's attention sinks, a number for each head (see `Attention`). */
  readonly sinks?: string;
  /** Factor on q . k; headDim^(-1/2) if left out. */
  readonly attentionScale?: number;
  readonly attentionSoftCap?: number | undefined;
  readonly embeddingScale?: number;
  /** Factor on what attention and MLP add to the residual stream. */
  readonly residualScale?: number;
  /** Rotary positions of a layer, undefined if it has none; layers with the same object share their tables. */
  readonly rope: (layer: number) => Rope | undefined;
  /** Which numbers are rotated together; "halves" if left out. */
  readonly rotatedPairs?: RotatedPairs;
  /** Whether q and k, once rotated, are divided by their root mean squares, each head by itself. */
  readonly normsRotated?: boolean;
  /** Factor on q of a layer by position, that broadcasts to [batch, time, 1]; undefined if there is none. */
  readonly queryScale?: (pass: ForwardPass, layer: number) => Value | undefined;
  /** How many positions a token of this layer sees; undefined if all before it. */
  readonly window?: (layer: number) => number | undefined;
  /** How long the parts of a text are that a layer sees by themselves; undefined if it sees beyond. */
  readonly chunk?: (layer: number) => number | undefined;
  readonly maxPositions: number;
  /** Whether the head is the input embedding where the config doesn't say. */
  readonly tied: boolean;
  readonly headTransform?: HeadTransform;
}

/** A layer's part that lets tokens see those before them. @param x [batch, time, d], like the result */
export type Mixer = (pass: ForwardPass, x: Value) => Value;

/** Finds the weights of a norm of q or k. @param part "q" or "k" @param name of its attention @returns the norm */
export type HeadNormReader = (name: string, part: "q" | "k", numHeads: number) => HeadNorm;
/** @param x [batch, time, numHeads * headDim], like the result */
export type HeadNorm = (graph: Graph, x: Value) => Value;

/** Heads of q and of k and v. @param usualKvHeads for configs without the field @throws InputError if they don't divide */
export function headCounts(config: Config, usualKvHeads?: number): { numHeads: number; numKvHeads: number } {
  const numHeads = config.integer("num_attention_heads");
  const usual = config.isNull("num_key_value_heads") ? numHeads : (usualKvHeads ?? numHeads);
  const numKvHeads = config.integer("num_key_value_heads", usual);
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
  const vocabSize = config.integer("vocab_size");
  const { embedding, head } = embeddings(
    config,
    weights,
    { input: "embed_tokens.weight", output: "lm_head.weight", tied: choices.tied },
    [vocabSize, d],
  );
  const blocks = perLayer(config.integer("num_hidden_layers"), (index): Block => {
    const prefix = `layers.${index}`;
    const { beforeAttention, afterAttention, beforeMlp, afterMlp } = choices.norms;
    const place = (name: string | undefined) =>
      name === undefined ? undefined : normWeights(weights, choices, `${prefix}.${name}`, d);
    return {
      beforeAttention: place(beforeAttention),
      afterAttention: place(afterAttention),
      beforeMlp: place(beforeMlp),
      afterMlp: place(afterMlp),
      mixer: choices.mixer?.(index, prefix) ?? attentionMixer(config, weights, choices, index),
      feedForward: choices.feedForward?.(index) ?? denseFeedForward(config, weights, choices, `${prefix}.mlp`),
    };
  });
  const finalNorm = normWeights(weights, choices, choices.names?.finalNorm ?? "norm", d);
  return {
    hiddenSize: d,
    maxPositions: choices.maxPositions,
    inputEmbedding: embedding,
    head: {
      weight: head,
      bias: choices.biases.head ? weights.get("lm_head.bias", [vocabSize]) : undefined,
      transform: choices.headTransform,
    },
    finalNorm: {
      kind: choices.layerNorms === undefined ? "rms" : "layer",
      ...finalNorm.affine,
      weightOffset: choices.weightOffset,
    },
    numLayers: blocks.length,
    hiddenStates(pass) {
      const { graph } = pass;
      return throughLayers(pass, blocks, {
        begin: () => scaled(graph, embed(graph, embedding, pass.tokenIds), choices.embeddingScale ?? 1),
        layer: (x, layer) => block(pass, x, layer, choices),
        end: (x) => norm(graph, x, finalNorm, choices),
      });
    },
  };
}

/** One layer: its norms, each at its place, and its parts. */
interface Block {
  readonly beforeAttention: NormWeights | undefined;
  readonly afterAttention: NormWeights | undefined;
  readonly beforeMlp: NormWeights | undefined;
  readonly afterMlp: NormWeights | undefined;
  readonly mixer: Mixer;
  readonly feedForward: FeedForward;
}

/** A norm of vectors of a size, which may store nothing. */
type NormWeights = { readonly affine: Affine | undefined; readonly size: number };

function denseFeedForward(config: Config, weights: Weights, choices: DecoderChoices, prefix: string): FeedForward {
  const { fused, plainMlp, activation, biases } = choices;
  const size = { d: config.integer("hidden_size"), inner: config.integer("intermediate_size") };
  if (plainMlp === undefined) {
    return gatedMlp(weights, prefix, size, { activation, biased: biases.mlp, fused: fused !== undefined });
  }
  const affine = affineReader(weights, prefix);
  const up = affine(plainMlp.up, size.inner, size.d, biases.mlp);
  const down = affine(plainMlp.down, size.d, size.inner, biases.mlp);
  return (graph, x) => linear(graph, activate(graph, activation, linear(graph, x, up)), down);
}

function normWeights(weights: Weights, { layerNorms }: DecoderChoices, name: string, size: number): NormWeights {
  if (layerNorms === "bare") return { affine: undefined, size };
  const bias = layerNorms === undefined ? undefined : weights.get(`${name}.bias`, [size]);
  return { affine: { weight: weights.get(`${name}.weight`, [size]), bias }, size };
}

function block(pass: ForwardPass, x: Value, layer: Block, choices: DecoderChoices): Value {
  const { graph } = pass;
  const added = (base: Value, change: Value) => add(graph, base, scaled(graph, change, choices.residualScale ?? 1));
  const input = norm(graph, x, layer.beforeAttention, choices);
  const attended = norm(graph, layer.mixer(pass, input), layer.afterAttention, choices);
  if (choices.parallel) return added(x, add(graph, attended, layer.feedForward(graph, input)));
  const y = added(x, attended);
  const inside = layer.feedForward(graph, norm(graph, y, layer.beforeMlp, choices));
  return added(y, norm(graph, inside, layer.afterMlp, choices));
}

/** Finds the weights of a layer's attention. */
function attentionMixer(config: Config, weights: Weights, choices: DecoderChoices, index: number): Mixer {
  const d = config.integer("hidden_size");
  const { numHeads, numKvHeads } = headCounts(config, choices.usualKvHeads);
  const { headDim, biases, gated = false } = choices;
  const prefix = `layers.${index}`;
  const affine = affineReader(weights, prefix);
  const [qSize, kvSize] = [numHeads * headDim, numKvHeads * headDim];
  const sizes = [gated ? 2 * qSize : qSize, kvSize, kvSize] as const;
  const named = (name: string, out: number) => affine(`self_attn.${name}`, out, d, biases.qkv);
  const qkv =
    choices.fused === "q, k, v and gate and up"
      ? [named("qkv_proj", sizes[0] + 2 * kvSize)]
      : [named("q_proj", sizes[0]), named("k_proj", kvSize), named("v_proj", kvSize)];
  const qNorm = headNorm(weights, choices, `${prefix}.self_attn`, "q", numHeads);
  const kNorm = headNorm(weights, choices, `${prefix}.self_attn`, "k", numKvHeads);
  const output = affine(`self_attn.${choices.names?.attentionOutput ?? "o_proj"}`, d, qSize, biases.output);
  const sinks = choices.sinks === undefined ? undefined : weights.get(`${prefix}.${choices.sinks}`, [numHeads]);
  const form = {
    numHeads,
    numKvHeads,
    headDim,
    scale: choices.attentionScale ?? headDim ** -0.5,
    window: choices.window?.(index),
    chunk: choices.chunk?.(index),
    softCap: choices.attentionSoftCap,
    sinks,
  };
  return (pass, x) => {
    const { graph } = pass;
    const [projected, k, v] = project(graph, x, qkv, sizes) as [Value, Value, Value];
    const [q, gate] = gated ? splitHeads(graph, projected, numHeads, headDim) : [projected];
    const placed = (part: Value, count: number) =>
      place(pass, clipped(graph, part, choices.clip), count, choices, index);
    const query = placed(qNorm(graph, q), numHeads);
    const queryScale = choices.queryScale?.(pass, index);
    const attended = causalAttention(pass, {
      ...form,
      q: queryScale === undefined ? query : graph.op("Mul", [query, queryScale]),
      k: placed(kNorm(graph, k), numKvHeads),
      v: clipped(graph, v, choices.clip),
    });
    const passed = gate === undefined ? attended : graph.op("Mul", [attended, graph.op("Sigmoid", [gate])]);
    return linear(graph, passed, output);
  };
}

/** The first and the second half of each head. @param x [batch, time, numHeads * 2 * headDim] */
function splitHeads(graph: Graph, x: Value, numHeads: number, headDim: number): [Value, Value] {
  const heads = splitLast(graph, reshape(graph, x, [0, 0, numHeads, 2 * headDim]), [headDim, headDim]);
  return heads.map((part) => reshape(graph, part, [0, 0, numHeads * headDim])) as [Value, Value];
}

/** q or k with its positions, if the layer has any. */
function place(pass: ForwardPass, part: Value, count: number, choices: DecoderChoices, layer: number): Value {
  const { graph } = pass;
  const rope = choices.rope(layer);
  if (rope === undefined) return part;
  const rotated = rotate(graph, part, count, rotaryTables(pass, rope), choices.rotatedPairs);
  if (!choices.normsRotated) return rotated;
  const { headDim, epsilon } = choices;
  return eachHead(graph, rotated, count, headDim, (_, heads) => rmsNorm(graph, heads, headDim, epsilon));
}

function norm(graph: Graph, x: Value, found: NormWeights | undefined, choices: DecoderChoices): Value {
  if (found === undefined) return x;
  const { layerNorms, epsilon, weightOffset } = choices;
  if (layerNorms !== undefined) return layerNorm(graph, x, found.affine ?? found.size, epsilon, weightOffset);
  return rmsNorm(graph, x, found.affine!.weight, epsilon, weightOffset);
}

const unchanged: HeadNorm = (_, x) => x;

/** The norm of q or k. */
function headNorm(
  weights: Weights,
  choices: DecoderChoices,
  name: string,
  part: "q" | "k",
  numHeads: number,
): HeadNorm {
  const { queryKeyNorms, headDim, epsilon, weightOffset } = choices;
  if (queryKeyNorms === undefined) return unchanged;
  if (typeof queryKeyNorms === "function") return queryKeyNorms(name, part, numHeads);
  const size = queryKeyNorms === "each head" ? headDim : numHeads * headDim;
  const weight = weights.get(`${name}.${part}_norm.weight`, [size]);
  const normed: HeadNorm = (graph, x) => rmsNorm(graph, x, weight, epsilon, weightOffset);
  return queryKeyNorms === "all heads" ? normed : (graph, x) => eachHead(graph, x, numHeads, headDim, normed);
}

/** Changes each head by itself. @param x [batch, time, numHeads * headDim] @param change of [batch, time, numHeads, headDim] */
export function eachHead(graph: Graph, x: Value, numHeads: number, headDim: number, change: HeadNorm): Value {
  return reshape(graph, change(graph, reshape(graph, x, [0, 0, numHeads, headDim])), [0, 0, numHeads * headDim]);
}
