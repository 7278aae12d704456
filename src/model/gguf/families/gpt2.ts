import { both, type GgufFamily, normEpsilon, vocabularyRows } from "../gguf-family.js";
import { type TensorRules, transposed } from "../tensor-rules.js";

export const gpt2: GgufFamily = {
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

function conv1d(stored: string, name: string): TensorRules {
  return { [`${stored}.weight`]: [`${name}.weight`, transposed], [`${stored}.bias`]: `${name}.bias` };
}
