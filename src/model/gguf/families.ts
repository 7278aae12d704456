import {
  biasRules,
  decoderConfig,
  decoderRules,
  type GgufContents,
  type GgufFamily,
  normEpsilon,
  normRules,
  rmsEpsilon,
  vocabularyRows,
} from "./gguf-family.js";
import { llama } from "./llama-family.js";
import { type TensorRules, transposed } from "./tensor-rules.js";

const gpt2: GgufFamily = {
  architecture: "gpt2",
  config({ metadata, tensors }) {
    const { own } = metadata;
    return {
      model_type: "gpt2",
      vocab_size: vocabularyRows(tensors),
      n_embd: metadata.integer(own("embedding_length")),
      n_head: metadata.integer(own("attention.head_count")),
      n_layer: metadata.integer(own("block_count")),
      n_inner: metadata.integer(own("feed_forward_length")),
      n_positions: metadata.integer(own("context_length")),
      layer_norm_epsilon: normEpsilon(metadata),
      activation_function: "gelu_new",
      tie_word_embeddings: !tensors.has("output.weight"),
    };
  },
  rules: () => ({
    "token_embd.weight": "transformer.wte.weight",
    "position_embd.weight": "transformer.wpe.weight",
    "output.weight": "lm_head.weight",
    ...both("output_norm", "transformer.ln_f"),
    ...both("blk.#.attn_norm", "transformer.h.#.ln_1"),
    ...both("blk.#.ffn_norm", "transformer.h.#.ln_2"),
    ...conv1d("blk.#.attn_qkv", "transformer.h.#.attn.c_attn"),
    ...conv1d("blk.#.attn_output", "transformer.h.#.attn.c_proj"),
    ...conv1d("blk.#.ffn_up", "transformer.h.#.mlp.c_fc"),
    ...conv1d("blk.#.ffn_down", "transformer.h.#.mlp.c_proj"),
  }),
};

/** Weight and bias. */
function both(stored: string, name: string): TensorRules {
  return { [`${stored}.weight`]: `${name}.weight`, [`${stored}.bias`]: `${name}.bias` };
}

function conv1d(stored: string, name: string): TensorRules {
  return { [`${stored}.weight`]: [`${name}.weight`, transposed], [`${stored}.bias`]: `${name}.bias` };
}

const qwen2: GgufFamily = {
  architecture: "qwen2",
  config: (contents) => ({
    model_type: "qwen2",
    ...decoderConfig(contents),
    rms_norm_eps: rmsEpsilon(contents.metadata),
    use_sliding_window: false,
    lm_head_bias: contents.tensors.has("output.bias"),
  }),
  rules: () => ({ ...decoderRules, ...normRules, ...biasRules, "output.bias": "lm_head.bias" }),
};

const families: readonly GgufFamily[] = [gpt2, llama, qwen2];

/** Values of `general.architecture` that are read. */
export const ggufArchitectures: readonly string[] = families.map(({ architecture }) => architecture);

/** @throws InputError naming the architecture if it is not read */
export function familyOf({ metadata }: Pick<GgufContents, "metadata">): GgufFamily {
  const found = families.find(({ architecture }) => architecture === metadata.architecture);
  if (found !== undefined) return found;
  const quoted = JSON.stringify(metadata.architecture.slice(0, 40));
  return metadata.fail(
    "general.architecture",
    `is ${quoted}, which is not supported; known: ${ggufArchitectures.join(", ")}`,
  );
}
