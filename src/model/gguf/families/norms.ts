import {
  biasRules,
  both,
  decoderConfig,
  decoderRules,
  type GgufContents,
  type GgufFamily,
  headSize,
  normEpsilon,
  normRules,
  queryKeyRules,
  rmsEpsilon,
} from "../gguf-family.js";
import { eachOf, splitRows, type TensorRules } from "../tensor-rules.js";

/** Llama-like families with norms, MLPs or matrices of other kinds. */

const phi3: GgufFamily = {
  architecture: "phi3",
  config(contents) {
    const { metadata } = contents;
    const window = metadata.own("attention.sliding_window");
    const size = metadata.has(window) ? metadata.number(window) : 0;
    return {
      model_type: "phi3",
      ...decoderConfig(contents),
      rms_norm_eps: rmsEpsilon(metadata),
      // 0 says that there is none.
      sliding_window: size === 0 ? null : size,
    };
  },
  rules: () => ({
    ...decoderRules,
    ...normRules,
    "blk.#.attn_qkv.weight": "model.layers.#.self_attn.qkv_proj.weight",
    "blk.#.ffn_up.weight": "model.layers.#.mlp.gate_up_proj.weight",
  }),
};

const phi2: GgufFamily = {
  architecture: "phi2",
  config: (contents) => ({
    model_type: "phi",
    ...decoderConfig(contents),
    layer_norm_eps: normEpsilon(contents.metadata),
  }),
  rules: (contents) => ({
    ...decoderRules,
    ...biasRules,
    ...fusedRules(contents),
    ...both("output", "lm_head"),
    ...both("output_norm", "model.final_layernorm"),
    ...both("blk.#.attn_norm", "model.layers.#.input_layernorm"),
    ...both("blk.#.attn_output", "model.layers.#.self_attn.dense"),
    ...both("blk.#.ffn_up", "model.layers.#.mlp.fc1"),
    ...both("blk.#.ffn_down", "model.layers.#.mlp.fc2"),
  }),
};

/** Older files have q, k and v in one matrix, one after the other. */
function fusedRules({ metadata }: GgufContents): TensorRules {
  const heads = metadata.integer(metadata.own("attention.head_count"));
  const kvHeads = metadata.integer(metadata.own("attention.head_count_kv"), heads);
  const size = headSize(metadata);
  const parts = (kind: string) =>
    splitRows([
      [`model.layers.#.self_attn.q_proj.${kind}`, heads * size],
      [`model.layers.#.self_attn.k_proj.${kind}`, kvHeads * size],
      [`model.layers.#.self_attn.v_proj.${kind}`, kvHeads * size],
    ]);
  return { "blk.#.attn_qkv.weight": parts("weight"), "blk.#.attn_qkv.bias": parts("bias") };
}

const olmo2: GgufFamily = {
  architecture: "olmo2",
  config(contents) {
    const { metadata } = contents;
    const window = metadata.own("attention.sliding_window");
    if (metadata.has(window)) metadata.fail(window, "is set: OLMo 3, which is not read from GGUF files");
    return {
      model_type: "olmo2",
      ...decoderConfig(contents),
      rms_norm_eps: rmsEpsilon(metadata),
      attention_bias: false,
    };
  },
  rules: () => ({
    ...decoderRules,
    ...queryKeyRules,
    "blk.#.post_attention_norm.weight": "model.layers.#.post_attention_layernorm.weight",
    "blk.#.post_ffw_norm.weight": "model.layers.#.post_feedforward_layernorm.weight",
  }),
};

/** LayerNorms before attention and MLP, and behind the layers. */
const layerNormRules: TensorRules = {
  ...both("output_norm", "model.norm"),
  ...both("blk.#.attn_norm", "model.layers.#.input_layernorm"),
  ...both("blk.#.ffn_norm", "model.layers.#.post_attention_layernorm"),
};

const starcoder2: GgufFamily = {
  architecture: "starcoder2",
  config: (contents) => ({
    model_type: "starcoder2",
    ...decoderConfig(contents),
    norm_epsilon: normEpsilon(contents.metadata),
    use_bias: contents.tensors.has("blk.0.attn_q.bias"),
    sliding_window: null,
    hidden_act: "gelu_pytorch_tanh",
  }),
  rules: () => ({
    ...decoderRules,
    ...layerNormRules,
    ...biasRules,
    ...both("blk.#.attn_output", "model.layers.#.self_attn.o_proj"),
    ...both("blk.#.ffn_up", "model.layers.#.mlp.c_fc"),
    ...both("blk.#.ffn_down", "model.layers.#.mlp.c_proj"),
  }),
};

const stablelm: GgufFamily = {
  architecture: "stablelm",
  config(contents) {
    const { metadata, tensors } = contents;
    return {
      model_type: "stablelm",
      partial_rotary_factor: 1,
      ...decoderConfig(contents),
      layer_norm_eps: normEpsilon(metadata),
      use_qkv_bias: tensors.has("blk.0.attn_q.bias"),
      qk_layernorm: tensors.has("blk.0.attn_q_norm.weight"),
      use_parallel_residual: !tensors.has("blk.0.ffn_norm.weight"),
    };
  },
  rules: () => ({
    ...decoderRules,
    ...layerNormRules,
    ...biasRules,
    "blk.#.attn_q_norm.weight": eachOf("model.layers.#.self_attn.q_layernorm.norms.@.weight"),
    "blk.#.attn_k_norm.weight": eachOf("model.layers.#.self_attn.k_layernorm.norms.@.weight"),
  }),
};

export const normFamilies: readonly GgufFamily[] = [phi3, phi2, olmo2, starcoder2, stablelm];
