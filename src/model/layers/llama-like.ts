import type { Graph, Value } from "../../engine/graph.js";
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
import { type RotaryTables, type RotatedPairs, rotaryTables, rotate } from "./rotary.js";

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

/** A layer's part after attention, of each token by itself. @param x [batch, time, d], like the result */
export type FeedForward = (graph: Graph, x: Value) => Value;

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
  const { numHeads, numKvHeads } = headCounts(config, choices.usualKvHeads);
  const vocabSize = config.integer("vocab_size");
  const { embedding, head } = embeddings(
    config,
    weights,
    { input: "embed_tokens.weight", output: "lm_head.weight", tied: choices.tied },
    [vocabSize, d],
  );
  const blocks = perLayer(config.integer("num_hidden_layers"), (index) => ({
    ...blockWeights(config, weights, choices, `layers.${index}`),
    feedForward: choices.feedForward?.(index) ?? denseFeedForward(config, weights, choices, `layers.${index}.mlp`),
    rope: choices.rope(index),
    window: choices.window?.(index),
    chunk: choices.chunk?.(index),
  }));
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
    hiddenStates(pass) {
      const { graph } = pass;
      const sized = { ...choices, numHeads, numKvHeads };
      let x = scaled(graph, embed(graph, embedding, pass.tokenIds), choices.embeddingScale ?? 1);
      blocks.forEach((layer, index) => {
        const places = {
          tables: layer.rope && rotaryTables(pass, layer.rope),
          queryScale: choices.queryScale?.(pass, index),
        };
        x = block(pass, x, layer, sized, places);
      });
      return norm(graph, x, finalNorm, choices);
    },
  };
}

type Sized = DecoderChoices & { readonly numHeads: number; readonly numKvHeads: number };
type Block = ReturnType<typeof blockWeights> & {
  readonly feedForward: FeedForward;
  readonly window: number | undefined;
  readonly chunk: number | undefined;
};
/** What positions do to q and k in one pass. */
type Places = { readonly tables: RotaryTables | undefined; readonly queryScale: Value | undefined };
/** A norm of vectors of a size, which may store nothing. */
type NormWeights = { readonly affine: Affine | undefined; readonly size: number };

function blockWeights(config: Config, weights: Weights, choices: DecoderChoices, prefix: string) {
  const d = config.integer("hidden_size");
  const { numHeads, numKvHeads } = headCounts(config, choices.usualKvHeads);
  const { headDim, norms, biases, fused, names } = choices;
  const [qSize, kvSize] = [numHeads * headDim, numKvHeads * headDim];
  const affine = affineReader(weights, prefix);
  const attention = (name: string, out: number) => affine(`self_attn.${name}`, out, d, biases.qkv);
  const place = (name: string | undefined) =>
    name === undefined ? undefined : normWeights(weights, choices, `${prefix}.${name}`, d);
  return {
    beforeAttention: place(norms.beforeAttention),
    afterAttention: place(norms.afterAttention),
    beforeMlp: place(norms.beforeMlp),
    afterMlp: place(norms.afterMlp),
    qkv:
      fused === "q, k, v and gate and up"
        ? [attention("qkv_proj", qSize + 2 * kvSize)]
        : [attention("q_proj", qSize), attention("k_proj", kvSize), attention("v_proj", kvSize)],
    qNorm: headNorm(weights, choices, `${prefix}.self_attn`, "q", numHeads),
    kNorm: headNorm(weights, choices, `${prefix}.self_attn`, "k", numKvHeads),
    output: affine(`self_attn.${names?.attentionOutput ?? "o_proj"}`, d, qSize, biases.output),
    sinks: choices.sinks === undefined ? undefined : weights.get(`${prefix}.${choices.sinks}`, [numHeads]),
  };
}

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

/**
 * W_down (activation(W_gate x) * W_up x), with tensors gate_proj, up_proj and down_proj.
 * @param choices `fused`: whether gate and up are one tensor, gate_up_proj
 */
export function gatedMlp(
  weights: Weights,
  prefix: string,
  { d, inner }: { readonly d: number; readonly inner: number },
  choices: { readonly activation: Activation; readonly biased?: boolean; readonly fused?: boolean },
): FeedForward {
  const { activation, biased = false, fused = false } = choices;
  const affine = affineReader(weights, prefix);
  const gateUp = fused
    ? [affine("gate_up_proj", 2 * inner, d, biased)]
    : [affine("gate_proj", inner, d, biased), affine("up_proj", inner, d, biased)];
  const down = affine("down_proj", d, inner, biased);
  return (graph, x) => {
    const [gate, up] = project(graph, x, gateUp, [inner, inner]) as [Value, Value];
    return linear(graph, graph.op("Mul", [activate(graph, activation, gate), up]), down);
  };
}

type AffineReader = (name: string, out: number, input: number, biased: boolean) => Affine;

function affineReader(weights: Weights, prefix: string): AffineReader {
  return (name, out, input, biased) => ({
    weight: weights.get(`${prefix}.${name}.weight`, [out, input]),
    bias: biased ? weights.get(`${prefix}.${name}.bias`, [out]) : undefined,
  });
}

function normWeights(weights: Weights, { layerNorms }: DecoderChoices, name: string, size: number): NormWeights {
  if (layerNorms === "bare") return { affine: undefined, size };
  const bias = layerNorms === undefined ? undefined : weights.get(`${name}.bias`, [size]);
  return { affine: { weight: weights.get(`${name}.weight`, [size]), bias }, size };
}

function block(pass: ForwardPass, x: Value, layer: Block, choices: Sized, places: Places): Value {
  const { graph } = pass;
  const added = (base: Value, change: Value) => add(graph, base, scaled(graph, change, choices.residualScale ?? 1));
  const input = norm(graph, x, layer.beforeAttention, choices);
  const attended = norm(graph, attention(pass, input, layer, choices, places), layer.afterAttention, choices);
  if (choices.parallel) return added(x, add(graph, attended, layer.feedForward(graph, input)));
  const y = added(x, attended);
  const inside = layer.feedForward(graph, norm(graph, y, layer.beforeMlp, choices));
  return added(y, norm(graph, inside, layer.afterMlp, choices));
}

function attention(pass: ForwardPass, x: Value, layer: Block, choices: Sized, { tables, queryScale }: Places): Value {
  const { graph } = pass;
  const { numHeads, numKvHeads, headDim } = choices;
  const sizes = [numHeads * headDim, numKvHeads * headDim, numKvHeads * headDim];
  const [q, k, v] = project(graph, x, layer.qkv, sizes) as [Value, Value, Value];
  const held = (part: Value) => clipped(graph, part, choices.clip);
  const placed = (part: Value, count: number) => {
    if (tables === undefined) return part;
    const rotated = rotate(graph, part, count, tables, choices.rotatedPairs);
    if (!choices.normsRotated) return rotated;
    return eachHead(graph, rotated, count, headDim, (_, heads) => rmsNorm(graph, heads, headDim, choices.epsilon));
  };
  const query = placed(held(layer.qNorm(graph, q)), numHeads);
  const attended = causalAttention(pass, {
    q: queryScale === undefined ? query : graph.op("Mul", [query, queryScale]),
    k: placed(held(layer.kNorm(graph, k)), numKvHeads),
    v: held(v),
    numHeads,
    numKvHeads,
    headDim,
    scale: choices.attentionScale ?? headDim ** -0.5,
    window: layer.window,
    chunk: layer.chunk,
    softCap: choices.attentionSoftCap,
    sinks: layer.sinks,
  });
  return linear(graph, attended, layer.output);
}

/** Several projections of x, from a matrix each or from one that holds them below one another. */
function project(graph: Graph, x: Value, maps: readonly Affine[], sizes: readonly number[]): Value[] {
  const [only, ...others] = maps as [Affine, ...Affine[]];
  return others.length === 0
    ? splitLast(graph, linear(graph, x, only), sizes)
    : maps.map((map) => linear(graph, x, map));
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
