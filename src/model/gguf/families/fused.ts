import { both, type GgufContents, type GgufFamily, normEpsilon, rotatedShare, vocabularyRows } from "../gguf-family.js";
import { type GgufMetadata, shortest } from "../gguf-metadata.js";
import { reordered, type TensorRules, type TensorView } from "../tensor-rules.js";

/** Families whose q, k and v are one matrix, head by head in transformers and one after the other in GGUF. */

const gptNeox: GgufFamily = {
  architecture: "gptneox",
  config(contents) {
    const { metadata } = contents;
    const { own } = metadata;
    return {
      model_type: "gpt_neox",
      ...sizes(contents),
      num_attention_heads: metadata.integer(own("attention.head_count")),
      num_hidden_layers: metadata.integer(own("block_count")),
      intermediate_size: metadata.integer(own("feed_forward_length")),
      max_position_embeddings: metadata.integer(own("context_length")),
      layer_norm_eps: normEpsilon(metadata),
      use_parallel_residual: metadata.boolean(own("use_parallel_residual"), true),
      rotary_pct: 1,
      ...rotatedShare(metadata, "rotary_pct"),
      rotary_emb_base: shortest(metadata.number(own("rope.freq_base"), 10_000)),
      hidden_act: "gelu",
    };
  },
  rules: ({ metadata }) => ({
    "token_embd.weight": "gpt_neox.embed_in.weight",
    "output.weight": "embed_out.weight",
    ...both("output_norm", "gpt_neox.final_layer_norm"),
    ...both("blk.#.attn_norm", "gpt_neox.layers.#.input_layernorm"),
    ...both("blk.#.ffn_norm", "gpt_neox.layers.#.post_attention_layernorm"),
    ...viewed("blk.#.attn_qkv", "gpt_neox.layers.#.attention.query_key_value", headByHead(metadata)),
    ...both("blk.#.attn_output", "gpt_neox.layers.#.attention.dense"),
    ...both("blk.#.ffn_up", "gpt_neox.layers.#.mlp.dense_h_to_4h"),
    ...both("blk.#.ffn_down", "gpt_neox.layers.#.mlp.dense_4h_to_h"),
  }),
};

const bloom: GgufFamily = {
  architecture: "bloom",
  config(contents) {
    const { metadata } = contents;
    return {
      model_type: "bloom",
      ...sizes(contents),
      n_head: metadata.integer(metadata.own("attention.head_count")),
      n_layer: metadata.integer(metadata.own("block_count")),
      layer_norm_epsilon: normEpsilon(metadata),
    };
  },
  rules: ({ metadata }) => ({
    "token_embd.weight": "transformer.word_embeddings.weight",
    "output.weight": "lm_head.weight",
    ...both("token_embd_norm", "transformer.word_embeddings_layernorm"),
    ...both("output_norm", "transformer.ln_f"),
    ...both("blk.#.attn_norm", "transformer.h.#.input_layernorm"),
    ...both("blk.#.ffn_norm", "transformer.h.#.post_attention_layernorm"),
    ...viewed("blk.#.attn_qkv", "transformer.h.#.self_attention.query_key_value", headByHead(metadata)),
    ...both("blk.#.attn_output", "transformer.h.#.self_attention.dense"),
    ...both("blk.#.ffn_up", "transformer.h.#.mlp.dense_h_to_4h"),
    ...both("blk.#.ffn_down", "transformer.h.#.mlp.dense_4h_to_h"),
  }),
};

/** Falcon 7B (one head of k and v), 40B and 180B (groups, a norm for each part), and Falcon 2 (groups, one norm). */
const falcon: GgufFamily = {
  architecture: "falcon",
  config(contents) {
    const { metadata, tensors } = contents;
    const { own } = metadata;
    const heads = metadata.integer(own("attention.head_count"));
    const kvHeads = metadata.integer(own("attention.head_count_kv"), heads);
    return {
      model_type: "falcon",
      ...sizes(contents),
      num_attention_heads: heads,
      num_hidden_layers: metadata.integer(own("block_count")),
      num_kv_heads: kvHeads,
      ffn_hidden_size: tensors.get("blk.0.ffn_up.weight")?.shape[0] ?? metadata.integer(own("feed_forward_length")),
      max_position_embeddings: metadata.integer(own("context_length")),
      layer_norm_epsilon: normEpsilon(metadata),
      rope_theta: shortest(metadata.number(own("rope.freq_base"), 10_000)),
      multi_query: kvHeads === 1,
      new_decoder_architecture: kvHeads > 1,
      num_ln_in_parallel_attn: tensors.has("blk.0.attn_norm_2.weight") ? 2 : 1,
      parallel_attn: true,
      alibi: false,
      bias: false,
    };
  },
  rules({ metadata, tensors }) {
    const two = tensors.has("blk.0.attn_norm_2.weight");
    return {
      "token_embd.weight": "transformer.word_embeddings.weight",
      "output.weight": "lm_head.weight",
      ...both("output_norm", "transformer.ln_f"),
      ...both("blk.#.attn_norm", `transformer.h.#.${two ? "ln_mlp" : "input_layernorm"}`),
      ...both("blk.#.attn_norm_2", "transformer.h.#.ln_attn"),
      "blk.#.attn_qkv.weight": ["transformer.h.#.self_attention.query_key_value.weight", headByHead(metadata)],
      "blk.#.attn_output.weight": "transformer.h.#.self_attention.dense.weight",
      "blk.#.ffn_up.weight": "transformer.h.#.mlp.dense_h_to_4h.weight",
      "blk.#.ffn_down.weight": "transformer.h.#.mlp.dense_4h_to_h.weight",
    };
  },
};

/** Its matrix is laid out alike in both. */
const mpt: GgufFamily = {
  architecture: "mpt",
  config({ metadata, tensors }) {
    const { own } = metadata;
    const clip = own("attention.clamp_kqv");
    return {
      model_type: "mpt",
      vocab_size: vocabularyRows(tensors),
      d_model: metadata.integer(own("embedding_length")),
      n_heads: metadata.integer(own("attention.head_count")),
      n_layers: metadata.integer(own("block_count")),
      max_seq_len: metadata.integer(own("context_length")),
      layer_norm_epsilon: normEpsilon(metadata),
      attn_config: {
        alibi: true,
        alibi_bias_max: metadata.number(own("attention.max_alibi_bias")),
        ...(metadata.has(clip) ? { clip_qkv: shortest(metadata.number(clip)) } : {}),
      },
      tie_word_embeddings: !tensors.has("output.weight"),
    };
  },
  rules: () => ({
    "token_embd.weight": "transformer.wte.weight",
    "output.weight": "lm_head.weight",
    "output_norm.weight": "transformer.norm_f.weight",
    "blk.#.attn_norm.weight": "transformer.blocks.#.norm_1.weight",
    "blk.#.ffn_norm.weight": "transformer.blocks.#.norm_2.weight",
    "blk.#.attn_qkv.weight": "transformer.blocks.#.attn.Wqkv.weight",
    "blk.#.attn_output.weight": "transformer.blocks.#.attn.out_proj.weight",
    "blk.#.ffn_up.weight": "transformer.blocks.#.ffn.up_proj.weight",
    "blk.#.ffn_down.weight": "transformer.blocks.#.ffn.down_proj.weight",
  }),
};

function sizes({ metadata, tensors }: GgufContents): Record<string, unknown> {
  return {
    vocab_size: vocabularyRows(tensors),
    hidden_size: metadata.integer(metadata.own("embedding_length")),
    tie_word_embeddings: !tensors.has("output.weight"),
  };
}

function viewed(stored: string, name: string, view: TensorView): TensorRules {
  return { [`${stored}.weight`]: [`${name}.weight`, view], [`${stored}.bias`]: [`${name}.bias`, view] };
}

/** For each head of k: the heads of q that go with it, that head, and the one of v. */
function headByHead(metadata: GgufMetadata): TensorView {
  const { own } = metadata;
  const heads = metadata.integer(own("attention.head_count"));
  const kvHeads = metadata.integer(own("attention.head_count_kv"), heads);
  const perGroup = heads / kvHeads;
  return reordered((rows) => {
    const headDim = rows / (heads + 2 * kvHeads);
    return Int32Array.from({ length: rows }, (_, row) => {
      const [head, place] = [Math.floor(row / headDim), row % headDim];
      const [group, inGroup] = [Math.floor(head / (perGroup + 2)), head % (perGroup + 2)];
      const stored = inGroup < perGroup ? group * perGroup + inGroup : heads + (inGroup - perGroup) * kvHeads + group;
      return stored * headDim + place;
    });
  });
}

export const fusedFamilies: readonly GgufFamily[] = [gptNeox, bloom, falcon, mpt];
