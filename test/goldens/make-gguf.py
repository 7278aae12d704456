"""Makes the files of test/goldens/gguf/families: a small model of each family with random weights, written as llama.cpp stores it (with
the gguf package, by the rules of llama.cpp's convert_hf_to_gguf.py), and transformers' log-probabilities for it.
Matrices are float16, and the model computes with the numbers that float16 holds.

    python test/goldens/make-gguf.py [family...]
"""
import base64
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
import transformers as tf

OUT = pathlib.Path(__file__).parent / "gguf" / "families"
IDS = [1, 100, 7, 42, 250, 3, 3, 90, 17, 205, 61, 8]
POSITIONS = [0, 5, 11]
V, D, HEADS, KV, FF = 260, 32, 4, 2, 48

common = dict(vocab_size=V, hidden_size=D, num_attention_heads=HEADS, num_key_value_heads=KV, intermediate_size=FF,
              num_hidden_layers=2, max_position_embeddings=64, bos_token_id=0, eos_token_id=0, pad_token_id=0)


def permute(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


class Family:
    """arch: general.architecture. config: transformers' config. keys(writer, config). rename: which name each tensor has; a function of the
    state dict that gives (name, array) pairs, where the rule "same rows under another name" is not enough."""

    def __init__(self, arch, config, keys, convert, tied=False):
        self.arch, self.config, self.keys, self.convert, self.tied = arch, config, keys, convert, tied


def llama_names(sd, layers, extra=(), skip=(), top=()):
    """Names of Llama-like families; extra: (theirs, gguf) pairs of a layer."""
    pairs = [("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
             ("self_attn.o_proj", "attn_output"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"),
             ("mlp.down_proj", "ffn_down"), ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm")]
    pairs = [pair for pair in pairs if pair[0] not in dict(extra)] + list(extra)
    tops = [("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output"), *top]
    out, used = {}, set()
    for theirs, ours in tops:
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" in sd:
                used.add(f"{theirs}.{kind}")
                out[f"{ours}.{kind}"] = sd[f"{theirs}.{kind}"]
    for i in range(layers):
        for theirs, ours in pairs:
            for kind in ("weight", "bias"):
                name = f"model.layers.{i}.{theirs}.{kind}"
                if name in sd and not any(s in name for s in skip):
                    used.add(name)
                    out[f"blk.{i}.{ours}.{kind}"] = sd[name]
    return out, set(sd) - used


def tidy(out, left):
    assert not left, left
    return out


def base_keys(w, c, eps="rms", rope=True, kv=True):
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    if kv:
        w.add_head_count_kv(c.num_key_value_heads)
    if eps == "rms":
        w.add_layer_norm_rms_eps(c.rms_norm_eps)
    if eps == "norm":
        w.add_layer_norm_eps(getattr(c, "layer_norm_eps", None) or getattr(c, "norm_epsilon", None) or c.layer_norm_epsilon)
    if rope:
        w.add_rope_freq_base((c.rope_parameters or {}).get("rope_theta", 10000.0))


def plus_one(out):
    return {n: (a + 1 if n.endswith("norm.weight") else a) for n, a in out.items()}


def permuted(out, heads=HEADS, kv=KV):
    for n in list(out):
        if ".attn_q." in n:
            out[n] = permute(out[n], heads)
        if ".attn_k." in n:
            out[n] = permute(out[n], kv)
    return out


def experts(sd, out, layers, gate="mlp.gate.weight", fused="mlp.experts"):
    for i in range(layers):
        p = f"model.layers.{i}."
        out[f"blk.{i}.ffn_gate_inp.weight"] = sd[p + gate]
        both = sd[p + fused + ".gate_up_proj"]
        half = both.shape[1] // 2
        out[f"blk.{i}.ffn_gate_exps.weight"] = both[:, :half]
        out[f"blk.{i}.ffn_up_exps.weight"] = both[:, half:]
        out[f"blk.{i}.ffn_down_exps.weight"] = sd[p + fused + ".down_proj"]
    return out


def strip(left, *parts):
    return {n for n in left if not any(p in n for p in parts)}


families = {}


def family(name, arch, config, keys, convert):
    families[name] = Family(arch, config, keys, convert)


def simple(**kwargs):
    return lambda sd, c: tidy(*llama_names(sd, c.num_hidden_layers, **kwargs))


def head_keys(w, c):
    base_keys(w, c)
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)


qk_norms = [("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm")]

family("llama3", "llama", lambda: tf.LlamaConfig(**{**common, "max_position_embeddings": 128}, rope_parameters=dict(
    rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
    original_max_position_embeddings=16), attention_bias=True, head_dim=16, tie_word_embeddings=True),
    lambda w, c: (head_keys(w, c), w.add_vocab_size(V), w.add_rope_dimension_count(c.head_dim)),
    lambda sd, c: {**permuted(tidy(*llama_names(sd, 2))), "rope_freqs.weight": llama3_factors(c)})


def llama3_factors(c):
    p = c.rope_parameters
    dim = c.head_dim
    freqs = 1.0 / (p["rope_theta"] ** (np.arange(0, dim, 2, dtype=np.float32) / dim))
    low, high = p["original_max_position_embeddings"] / p["low_freq_factor"], p["original_max_position_embeddings"] / p["high_freq_factor"]
    out = []
    for f in freqs:
        wavelen = 2 * np.pi / f
        if wavelen < high:
            out.append(1.0)
        elif wavelen > low:
            out.append(p["factor"])
        else:
            smooth = (p["original_max_position_embeddings"] / wavelen - p["low_freq_factor"]) / (p["high_freq_factor"] - p["low_freq_factor"])
            out.append(1 / ((1 - smooth) / p["factor"] + smooth))
    return torch.tensor(np.array(out, np.float32))


def yarn_keys(w, c):
    base_keys(w, c)
    w.add_vocab_size(V)
    w.add_rope_dimension_count(D // HEADS)
    w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    w.add_rope_scaling_factor(c.rope_parameters["factor"])
    w.add_rope_scaling_orig_ctx_len(c.rope_parameters["original_max_position_embeddings"])


family("llama_yarn", "llama", lambda: tf.LlamaConfig(**common, rope_parameters=dict(
    rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16), tie_word_embeddings=False),
    yarn_keys, lambda sd, c: permuted(tidy(*llama_names(sd, 2))))


def linear_keys(w, c):
    base_keys(w, c)
    w.add_vocab_size(V)
    w.add_rope_dimension_count(D // HEADS)
    w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    w.add_rope_scaling_factor(c.rope_parameters["factor"])


family("llama_linear", "llama", lambda: tf.LlamaConfig(**common, rope_parameters=dict(
    rope_type="linear", rope_theta=10000.0, factor=2.0), tie_word_embeddings=False),
    linear_keys, lambda sd, c: permuted(tidy(*llama_names(sd, 2))))

family("mixtral", "llama", lambda: tf.MixtralConfig(**common, num_local_experts=4, num_experts_per_tok=2, sliding_window=None,
                                                    tie_word_embeddings=False),
       lambda w, c: (base_keys(w, c), w.add_vocab_size(V), w.add_rope_dimension_count(D // HEADS), w.add_expert_count(4), w.add_expert_used_count(2)),
       lambda sd, c: (lambda out, left: experts(sd, permuted(tidy(out, strip(left, "mlp."))), 2))(*llama_names(sd, 2)))

family("qwen2", "qwen2", lambda: tf.Qwen2Config(**common, use_sliding_window=False, tie_word_embeddings=False),
       lambda w, c: base_keys(w, c), simple())
family("qwen3", "qwen3", lambda: tf.Qwen3Config(**common, head_dim=16, use_sliding_window=False, tie_word_embeddings=True),
       head_keys, simple(extra=qk_norms))
family("qwen3moe", "qwen3moe", lambda: tf.Qwen3MoeConfig(**common, head_dim=16, num_experts=5, num_local_experts=5, num_experts_per_tok=3, moe_intermediate_size=16,
                                                         norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[], use_sliding_window=False,
                                                         tie_word_embeddings=False),
       lambda w, c: (head_keys(w, c), w.add_expert_count(5), w.add_expert_used_count(3), w.add_expert_feed_forward_length(16)),
       lambda sd, c: (lambda out, left: experts(sd, tidy(out, strip(left, "mlp.")), 2))(*llama_names(sd, 2, extra=qk_norms)))


def phi3_keys(w, c):
    base_keys(w, c)
    w.add_rope_dimension_count(int(c.hidden_size // c.num_attention_heads * c.rope_parameters.get("partial_rotary_factor", 1)))
    w.add_sliding_window(c.sliding_window)
    w.add_rope_scaling_orig_ctx_len(c.rope_parameters["original_max_position_embeddings"])
    scale = c.max_position_embeddings / c.rope_parameters["original_max_position_embeddings"]
    w.add_rope_scaling_attn_factors(float(np.sqrt(1 + np.log(scale) / np.log(c.rope_parameters["original_max_position_embeddings"]))))


def phi3_convert(sd, c):
    out, left = llama_names(sd, 2, extra=[("self_attn.qkv_proj", "attn_qkv"), ("mlp.gate_up_proj", "ffn_up")])
    out = tidy(out, left)
    out["rope_factors_short.weight"] = torch.tensor(c.rope_parameters["short_factor"])
    out["rope_factors_long.weight"] = torch.tensor(c.rope_parameters["long_factor"])
    return out


family("phi3", "phi3", lambda: tf.Phi3Config(**{**common, "max_position_embeddings": 1024}, sliding_window=512, original_max_position_embeddings=512,
    rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=512,
                         short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 2.0, 3.0, 4.0]), tie_word_embeddings=False),
       phi3_keys, phi3_convert)

gemma_norms = [("post_attention_layernorm", "post_attention_norm"), ("pre_feedforward_layernorm", "ffn_norm"), ("post_feedforward_layernorm", "post_ffw_norm")]


def gemma2_names(sd, layers, extra=()):
    out, left = llama_names(sd, layers, extra=[*gemma_norms, *extra])
    return plus_one(tidy(out, left))


family("gemma", "gemma", lambda: tf.GemmaConfig(**common, head_dim=16), head_keys,
       lambda sd, c: plus_one(tidy(*llama_names(sd, 2))))


def gemma2_keys(w, c):
    head_keys(w, c)
    w.add_attn_logit_softcapping(c.attn_logit_softcapping)
    w.add_final_logit_softcapping(c.final_logit_softcapping)
    w.add_sliding_window(c.sliding_window)


family("gemma2", "gemma2", lambda: tf.Gemma2Config(**common, head_dim=16, query_pre_attn_scalar=16, sliding_window=5, attn_logit_softcapping=5.0,
                                                   final_logit_softcapping=3.0), gemma2_keys, lambda sd, c: gemma2_names(sd, 2))


def gemma3_keys(w, c):
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)
    w.add_rope_freq_base(1000000.0)
    w.add_sliding_window(c.sliding_window)
    w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    w.add_rope_scaling_factor(8.0)


family("gemma3", "gemma3", lambda: tf.Gemma3TextConfig(**{**common, "num_hidden_layers": 6, "hidden_size": 16, "intermediate_size": 24}, head_dim=8, query_pre_attn_scalar=8,
    sliding_window=5, rope_parameters=dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0),
                                           sliding_attention=dict(rope_type="default", rope_theta=10000.0))),
       gemma3_keys, lambda sd, c: gemma2_names(sd, 6, extra=qk_norms))


family("olmo2", "olmo2", lambda: tf.Olmo2Config(**{**common, "num_key_value_heads": HEADS}, tie_word_embeddings=False), lambda w, c: base_keys(w, c),
       simple(extra=[*qk_norms, ("post_attention_layernorm", "post_attention_norm"), ("post_feedforward_layernorm", "post_ffw_norm")]))


def granite_keys(w, c):
    base_keys(w, c)
    w.add_vocab_size(V)
    w.add_rope_dimension_count(D // HEADS)
    w.add_attention_scale(c.attention_multiplier)
    w.add_embedding_scale(c.embedding_multiplier)
    w.add_residual_scale(c.residual_multiplier)
    w.add_logit_scale(c.logits_scaling)


family("granite", "granite", lambda: tf.GraniteConfig(**common, attention_multiplier=0.2, embedding_multiplier=3.0, residual_multiplier=0.5,
                                                      logits_scaling=4.0, tie_word_embeddings=True),
       granite_keys, lambda sd, c: permuted(tidy(*llama_names(sd, 2))))


def cohere_keys(w, c):
    base_keys(w, c, eps="norm")
    w.add_logit_scale(c.logit_scale)
    w.add_rope_scaling_type(gguf.RopeScalingType.NONE)


def cohere_convert(sd, c):
    return tidy(*llama_names(sd, 2, extra=qk_norms))


family("command-r", "command-r", lambda: tf.CohereConfig(**common, logit_scale=0.25, use_qk_norm=False), cohere_keys, cohere_convert)
family("cohere2", "cohere2", lambda: tf.Cohere2Config(**{**common, "num_hidden_layers": 4}, logit_scale=0.25, sliding_window=5, head_dim=8,
                                                      layer_types=["sliding_attention"] * 3 + ["full_attention"]),
       lambda w, c: (cohere_keys(w, c), w.add_sliding_window(5), w.add_rope_dimension_count(8)),
       lambda sd, c: tidy(*llama_names(sd, 4)))


def neox_convert(sd, c):
    out = {}
    for n, a in sd.items():
        n = n.replace("gpt_neox.", "")
        for theirs, ours in [("embed_in.", "token_embd."), ("final_layer_norm.", "output_norm."), ("embed_out.", "output."), ("lm_head.", "output.")]:
            if n.startswith(theirs):
                out[n.replace(theirs, ours)] = a
        if not n.startswith("layers."):
            continue
        _, i, rest = n.split(".", 2)
        for theirs, ours in [("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"), ("attention.query_key_value", "attn_qkv"),
                             ("attention.dense", "attn_output"), ("mlp.dense_h_to_4h", "ffn_up"), ("mlp.dense_4h_to_h", "ffn_down")]:
            if rest.startswith(theirs + "."):
                if ours == "attn_qkv":
                    hd = D // HEADS
                    a = a.reshape(HEADS, 3, hd, *a.shape[1:])
                    a = torch.cat([a[:, j].reshape(HEADS * hd, *a.shape[3:]) for j in range(3)])
                out[f"blk.{i}.{ours}.{rest.split('.')[-1]}"] = a
    return out


for parallel in (True, False):
    family("gptneox" if parallel else "gptneox_sequential", "gptneox", lambda parallel=parallel: tf.GPTNeoXConfig(**{k: v for k, v in common.items() if k != "num_key_value_heads"},
           rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5), use_parallel_residual=parallel),
           lambda w, c: (base_keys(w, c, eps="norm", rope=False, kv=False), w.add_rope_dimension_count(4), w.add_parallel_residual(c.use_parallel_residual)),
           neox_convert)


def falcon_convert(sd, c):
    out = {}
    kv = c.num_kv_heads if c.new_decoder_architecture else (1 if c.multi_query else c.num_attention_heads)
    hd = c.hidden_size // c.num_attention_heads
    for n, a in sd.items():
        n = n.replace("transformer.", "")
        for theirs, ours in [("word_embeddings.", "token_embd."), ("ln_f.", "output_norm."), ("lm_head.", "output.")]:
            if n.startswith(theirs):
                out[n.replace(theirs, ours)] = a
        if not n.startswith("h."):
            continue
        _, i, rest = n.split(".", 2)
        for theirs, ours in [("input_layernorm", "attn_norm"), ("ln_attn", "attn_norm_2"), ("ln_mlp", "attn_norm"), ("self_attention.query_key_value", "attn_qkv"),
                             ("self_attention.dense", "attn_output"), ("mlp.dense_h_to_4h", "ffn_up"), ("mlp.dense_4h_to_h", "ffn_down")]:
            if rest.startswith(theirs + "."):
                if ours == "attn_qkv":
                    a = a.reshape(kv, c.num_attention_heads // kv + 2, hd, c.hidden_size)
                    a = torch.cat([a[:, :-2].reshape(-1, c.hidden_size), a[:, [-2]].reshape(-1, c.hidden_size), a[:, [-1]].reshape(-1, c.hidden_size)])
                out[f"blk.{i}.{ours}.{rest.split('.')[-1]}"] = a
    return out


def falcon_keys(w, c):
    w.add_context_length(c.max_position_embeddings)
    w.add_tensor_data_layout("jploski")
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(4 * c.hidden_size)
    w.add_block_count(c.num_hidden_layers)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_kv_heads if c.new_decoder_architecture else 1)
    w.add_layer_norm_eps(c.layer_norm_epsilon)


falcon_common = dict(vocab_size=V, hidden_size=D, num_attention_heads=HEADS, num_hidden_layers=2, bos_token_id=0, eos_token_id=0, alibi=False, bias=False)
family("falcon", "falcon", lambda: tf.FalconConfig(**falcon_common, multi_query=True, parallel_attn=True, new_decoder_architecture=False), falcon_keys, falcon_convert)
family("falcon_grouped", "falcon", lambda: tf.FalconConfig(**falcon_common, num_kv_heads=2, new_decoder_architecture=True), falcon_keys, falcon_convert)


def bloom_convert(sd, c):
    out = {}
    hd = D // HEADS
    for n, a in sd.items():
        n = n.replace("transformer.", "")
        for theirs, ours in [("word_embeddings.", "token_embd."), ("word_embeddings_layernorm.", "token_embd_norm."), ("ln_f.", "output_norm."), ("lm_head.", "output.")]:
            if n.startswith(theirs):
                out[n.replace(theirs, ours)] = a
        if not n.startswith("h."):
            continue
        _, i, rest = n.split(".", 2)
        for theirs, ours in [("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"), ("self_attention.query_key_value", "attn_qkv"),
                             ("self_attention.dense", "attn_output"), ("mlp.dense_h_to_4h", "ffn_up"), ("mlp.dense_4h_to_h", "ffn_down")]:
            if rest.startswith(theirs + "."):
                if ours == "attn_qkv":
                    a = a.reshape(HEADS, 3, hd, *a.shape[1:])
                    a = torch.cat([a[:, j].reshape(HEADS * hd, *a.shape[3:]) for j in range(3)])
                out[f"blk.{i}.{ours}.{rest.split('.')[-1]}"] = a
    return out


def bloom_keys(w, c):
    w.add_context_length(64)
    w.add_embedding_length(D)
    w.add_feed_forward_length(4 * D)
    w.add_block_count(c.n_layer)
    w.add_head_count(c.n_head)
    w.add_head_count_kv(c.n_head)
    w.add_layer_norm_eps(c.layer_norm_epsilon)


family("bloom", "bloom", lambda: tf.BloomConfig(vocab_size=V, hidden_size=D, n_head=HEADS, n_layer=2, bos_token_id=0, eos_token_id=0), bloom_keys, bloom_convert)


def mpt_convert(sd, c):
    out = {}
    for n, a in sd.items():
        n = n.replace("transformer.", "")
        for theirs, ours in [("wte.", "token_embd."), ("norm_f.", "output_norm."), ("lm_head.", "output.")]:
            if n.startswith(theirs):
                out[n.replace(theirs, ours)] = a
        if not n.startswith("blocks."):
            continue
        _, i, rest = n.split(".", 2)
        for theirs, ours in [("norm_1", "attn_norm"), ("norm_2", "ffn_norm"), ("attn.Wqkv", "attn_qkv"), ("attn.out_proj", "attn_output"),
                             ("ffn.up_proj", "ffn_up"), ("ffn.down_proj", "ffn_down")]:
            if rest.startswith(theirs + "."):
                out[f"blk.{i}.{ours}.{rest.split('.')[-1]}"] = a
    return out


def mpt_keys(w, c):
    w.add_context_length(c.max_seq_len)
    w.add_embedding_length(c.d_model)
    w.add_feed_forward_length(4 * c.d_model)
    w.add_block_count(c.n_layers)
    w.add_head_count(c.n_heads)
    w.add_layer_norm_eps(1e-5)
    w.add_clamp_kqv(0.7)
    w.add_max_alibi_bias(8.0)


family("mpt", "mpt", lambda: tf.MptConfig(vocab_size=V, d_model=D, n_heads=HEADS, n_layers=2, max_seq_len=64, attn_config=dict(alibi=True, clip_qkv=0.7), bos_token_id=0, eos_token_id=0),
       mpt_keys, mpt_convert)

family("starcoder2", "starcoder2", lambda: tf.Starcoder2Config(**common, sliding_window=None, use_bias=True, tie_word_embeddings=True), lambda w, c: base_keys(w, c, eps="norm"),
       simple(extra=[("mlp.c_fc", "ffn_up"), ("mlp.c_proj", "ffn_down")]))


def stablelm_convert(sd, c):
    out, left = llama_names(sd, 2)
    for i in range(2):
        for part, count in (("q", HEADS), ("k", KV)):
            names = [f"model.layers.{i}.self_attn.{part}_layernorm.norms.{h}.weight" for h in range(count)]
            out[f"blk.{i}.attn_{part}_norm.weight"] = torch.stack([sd[n] for n in names])
            left -= set(names)
    return tidy(out, left)


def stablelm_keys(w, c):
    base_keys(w, c, eps="norm")
    w.add_rope_dimension_count(int(0.5 * D // HEADS))
    w.add_parallel_residual(c.use_parallel_residual)


family("stablelm", "stablelm", lambda: tf.StableLmConfig(**common, rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5), use_qkv_bias=True,
                                                         qk_layernorm=True, use_parallel_residual=True, tie_word_embeddings=False), stablelm_keys, stablelm_convert)
family("stablelm_sequential", "stablelm", lambda: tf.StableLmConfig(**common, rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5),
                                                                    use_qkv_bias=False, qk_layernorm=False, use_parallel_residual=False, tie_word_embeddings=False),
       stablelm_keys, lambda sd, c: tidy(*llama_names(sd, 2)))


def phi2_convert(sd, c):
    return tidy(*llama_names(sd, 2, extra=[("self_attn.dense", "attn_output"), ("mlp.fc1", "ffn_up"), ("mlp.fc2", "ffn_down")],
                             top=[("model.final_layernorm", "output_norm")]))


family("phi2", "phi2", lambda: tf.PhiConfig(**{**common, "num_key_value_heads": HEADS}, rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5), tie_word_embeddings=False),
       lambda w, c: (base_keys(w, c, eps="norm", rope=False), w.add_rope_dimension_count(4), w.add_add_bos_token(False)), phi2_convert)


def letters():
    visible = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 255 and b != 173]
    table, extra = {b: chr(b) for b in visible}, 256
    for b in range(256):
        if b not in table:
            table[b], extra = chr(extra), extra + 1
    return [table[b] for b in range(256)]


def make(name, one):
    torch.manual_seed(sum(map(ord, name)))
    config = one.config()
    config._attn_implementation = "eager"
    model = tf.AutoModelForCausalLM.from_config(config).float().eval()
    for parameter_name, parameter in model.named_parameters():
        flat = parameter.ndim == 1 or "norm" in parameter_name
        with torch.no_grad():
            noise = torch.randn_like(parameter)
            if flat:
                parameter.copy_((parameter + 0.2 * noise).float())
            else:
                parameter.copy_((noise * 0.9 / parameter.shape[-1] ** 0.5).half().float())
    with torch.no_grad():
        logits = model(torch.tensor([IDS])).logits[0]
    exact = torch.log_softmax(logits.double(), -1).float()
    sd = {n: a.detach() for n, a in model.state_dict().items()}
    if config.tie_word_embeddings:
        sd = {n: a for n, a in sd.items() if not n.startswith(("lm_head", "embed_out"))}
    w = gguf.GGUFWriter(OUT / f"{name}.gguf", one.arch)
    one.keys(w, config)
    tokens = ["<|endoftext|>", *letters(), "Ġt", "he", "Ġthe"]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(tokens)
    w.add_token_types([3] + [1] * (V - 1))
    w.add_token_merges(["Ġ t", "h e", "Ġt he"])
    w.add_bos_token_id(0)
    w.add_eos_token_id(0)
    for tensor_name, array in one.convert(sd, config).items():
        a = array.numpy()
        half = a.ndim > 1 and "norm" not in tensor_name and "ffn_gate_inp" not in tensor_name
        w.add_tensor(tensor_name, np.ascontiguousarray(a.astype(np.float16 if half else np.float32)))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return base64.b64encode(exact[POSITIONS].numpy().tobytes()).decode()


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "expected.json"
    known = json.loads(path.read_text())["files"] if path.exists() else {}
    for name in sys.argv[1:] or families:
        known[name] = make(name, families[name])
        print(name)
    about = "log-probabilities of the next token after some positions of ids, float32 little-endian base64 [positions, 260], by transformers " + tf.__version__
    path.write_text(json.dumps(dict(about=about, ids=IDS, positions=POSITIONS, files=dict(sorted(known.items()))), indent=0) + "\n")


main()
