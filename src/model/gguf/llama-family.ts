import { decoderConfig, decoderRules, type GgufFamily, normRules, rmsEpsilon } from "./gguf-family.js";
import { halvesApart, type TensorRules } from "./tensor-rules.js";

/** Llama, and what llama.cpp stores as such (Mistral, Llama 3 with its stretched positions). */
export const llama: GgufFamily = {
  architecture: "llama",
  config: (contents) => ({
    model_type: "llama",
    ...decoderConfig(contents),
    rms_norm_eps: rmsEpsilon(contents.metadata),
    attention_bias: contents.tensors.has("blk.0.attn_q.bias"),
    mlp_bias: contents.tensors.has("blk.0.ffn_up.bias"),
  }),
  rules({ metadata }) {
    const heads = metadata.integer(metadata.own("attention.head_count"));
    const kvHeads = metadata.integer(metadata.own("attention.head_count_kv"), heads);
    return { ...decoderRules, ...normRules, ...attentionRules(heads, kvHeads), ...mlpBiasRules };
  },
};

/** q and k have pairs of rotary positions side by side. */
function attentionRules(heads: number, kvHeads: number): TensorRules {
  const q = halvesApart(heads);
  const k = halvesApart(kvHeads);
  return {
    "blk.#.attn_q.weight": ["model.layers.#.self_attn.q_proj.weight", q],
    "blk.#.attn_q.bias": ["model.layers.#.self_attn.q_proj.bias", q],
    "blk.#.attn_k.weight": ["model.layers.#.self_attn.k_proj.weight", k],
    "blk.#.attn_k.bias": ["model.layers.#.self_attn.k_proj.bias", k],
    "blk.#.attn_v.bias": "model.layers.#.self_attn.v_proj.bias",
    "blk.#.attn_output.bias": "model.layers.#.self_attn.o_proj.bias",
  };
}

const mlpBiasRules: TensorRules = {
  "blk.#.ffn_gate.bias": "model.layers.#.mlp.gate_proj.bias",
  "blk.#.ffn_up.bias": "model.layers.#.mlp.up_proj.bias",
  "blk.#.ffn_down.bias": "model.layers.#.mlp.down_proj.bias",
};
