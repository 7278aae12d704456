import {
  both,
  decoderConfig,
  decoderRules,
  expertRules,
  type GgufContents,
  type GgufFamily,
  normRules,
  rmsEpsilon,
} from "../gguf-family.js";
import { shortest } from "../gguf-metadata.js";
import { halvesApart, type TensorRules } from "../tensor-rules.js";

/** Llama, and what llama.cpp stores as such: Mistral, Mixtral, Llama 3 with its stretched positions. */
const llama: GgufFamily = {
  architecture: "llama",
  config(contents) {
    const { metadata, tensors } = contents;
    const shared = {
      ...decoderConfig(contents),
      rms_norm_eps: rmsEpsilon(metadata),
      attention_bias: tensors.has("blk.0.attn_q.bias"),
      mlp_bias: tensors.has("blk.0.ffn_up.bias"),
    };
    const experts = metadata.own("expert_count");
    // Files without experts may say that they have none.
    if (!metadata.has(experts) || metadata.number(experts) === 0) return { model_type: "llama", ...shared };
    return {
      model_type: "mixtral",
      ...shared,
      num_local_experts: metadata.integer(experts),
      num_experts_per_tok: metadata.integer(metadata.own("expert_used_count")),
      sliding_window: null,
    };
  },
  rules: (contents) => ({
    ...decoderRules,
    ...normRules,
    ...pairedRules(contents),
    ...mlpBiasRules,
    ...expertRules("model.layers.#.block_sparse_moe", ["w1", "w3", "w2"]),
  }),
};

/** Granite 3: Llama with four factors. */
const granite: GgufFamily = {
  architecture: "granite",
  config(contents) {
    const { metadata, tensors } = contents;
    const factor = (key: string) => shortest(metadata.number(metadata.own(key), 1));
    return {
      model_type: "granite",
      ...decoderConfig(contents),
      rms_norm_eps: rmsEpsilon(metadata),
      attention_bias: tensors.has("blk.0.attn_q.bias"),
      mlp_bias: tensors.has("blk.0.ffn_up.bias"),
      embedding_multiplier: factor("embedding_scale"),
      attention_multiplier: factor("attention.scale"),
      residual_multiplier: factor("residual_scale"),
      logits_scaling: factor("logit_scale"),
    };
  },
  rules: (contents) => ({ ...decoderRules, ...normRules, ...pairedRules(contents), ...mlpBiasRules }),
};

/** q and k have pairs of rotary positions side by side. */
function pairedRules({ metadata }: GgufContents): TensorRules {
  const heads = metadata.integer(metadata.own("attention.head_count"));
  const q = halvesApart(heads);
  const k = halvesApart(metadata.integer(metadata.own("attention.head_count_kv"), heads));
  return {
    "blk.#.attn_q.weight": ["model.layers.#.self_attn.q_proj.weight", q],
    "blk.#.attn_q.bias": ["model.layers.#.self_attn.q_proj.bias", q],
    "blk.#.attn_k.weight": ["model.layers.#.self_attn.k_proj.weight", k],
    "blk.#.attn_k.bias": ["model.layers.#.self_attn.k_proj.bias", k],
    ...both("blk.#.attn_v", "model.layers.#.self_attn.v_proj"),
    ...both("blk.#.attn_output", "model.layers.#.self_attn.o_proj"),
  };
}

const mlpBiasRules: TensorRules = {
  ...both("blk.#.ffn_gate", "model.layers.#.mlp.gate_proj"),
  ...both("blk.#.ffn_up", "model.layers.#.mlp.up_proj"),
  ...both("blk.#.ffn_down", "model.layers.#.mlp.down_proj"),
};

export const llamaFamilies: readonly GgufFamily[] = [llama, granite];
