import type { Value } from "../../engine/graph.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { ModelDescription } from "../architecture.js";
import type { Config } from "../config.js";
import { embeddings, perLayer, type Weights } from "../weights.js";
import type { FeedForward } from "./feed-forward.js";
import { add, embed, rmsNorm } from "./layers.js";
import type { Mixer } from "./llama-like.js";
import { throughLayers } from "./through-layers.js";

/** One layer: x + mixer(norm(x)), and to that, where there is a feed-forward part, feedForward(norm(...)). */
export interface PreNormLayer {
  readonly mixer: Mixer;
  readonly feedForward?: FeedForward;
}

/** What the decoders of several families differ in, besides their layers. */
export interface PreNormChoices {
  readonly epsilon: number;
  /** 1 where norms store their weight less one. */
  readonly weightOffset?: 0 | 1;
  readonly names: {
    readonly embedding: string;
    /** Of a layer, before its mixer and before its feed-forward part. */
    readonly beforeMixer: string;
    readonly beforeFeedForward?: string;
    readonly finalNorm: string;
  };
  readonly maxPositions: number | undefined;
  /** Whether the head is the input embedding where the config doesn't say. */
  readonly tied: boolean;
  /** Finds the weights of a layer. @param prefix of its tensors */
  layer(index: number, prefix: string): PreNormLayer;
}

/** Layers with root mean square norms in front of their parts, of any kind. */
export function preNormDecoder(config: Config, weights: Weights, choices: PreNormChoices): ModelDescription {
  const { epsilon, weightOffset, names } = choices;
  const d = config.integer("hidden_size");
  const { embedding, head } = embeddings(
    config,
    weights,
    { input: `${names.embedding}.weight`, output: "lm_head.weight", tied: choices.tied },
    [config.integer("vocab_size"), d],
  );
  const norm = (name: string) => weights.get(`${name}.weight`, [d]);
  const layers = perLayer(config.integer("num_hidden_layers"), (index) => {
    const prefix = `layers.${index}`;
    return {
      beforeMixer: norm(`${prefix}.${names.beforeMixer}`),
      beforeFeedForward:
        names.beforeFeedForward === undefined ? undefined : norm(`${prefix}.${names.beforeFeedForward}`),
      ...choices.layer(index, prefix),
    };
  });
  const finalNorm = norm(names.finalNorm);
  return {
    hiddenSize: d,
    maxPositions: choices.maxPositions,
    inputEmbedding: embedding,
    head: { weight: head },
    finalNorm: { kind: "rms", weight: finalNorm, weightOffset },
    numLayers: layers.length,
    hiddenStates(pass) {
      const { graph } = pass;
      const normed = (x: Value, weight: TensorEntry) => rmsNorm(graph, x, weight, epsilon, weightOffset);
      return throughLayers(pass, layers, {
        begin: () => embed(graph, embedding, pass.tokenIds),
        layer(x, { beforeMixer, mixer, beforeFeedForward, feedForward }) {
          const mixed = add(graph, x, mixer(pass, normed(x, beforeMixer)));
          return beforeFeedForward && feedForward
            ? add(graph, mixed, feedForward(graph, normed(mixed, beforeFeedForward)))
            : mixed;
        },
        end: (x) => normed(x, finalNorm),
      });
    },
  };
}
