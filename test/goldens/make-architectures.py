"""Tiny random checkpoints with what PyTorch computes from them, for the variants of each architecture.

Usage: python make-architectures.py arch|flags [NAME ...]      (needs torch, transformers >= 5, safetensors)

arch: what all tests run that run over all families. flags: more of each family's flags, for what is computed alone.
Writes FOLDER/NAME/config.json and model.safetensors, and expected.safetensors with `input_ids` [2, time],
`hidden` [2, time, d] (what the head multiplies) and `logits` [2, time, V]: transformers, eager attention, the stored
weights widened to float32. Weights are larger than an untrained model's, so that attention is far from uniform and a
mistake shows. Names that end in _v4config get the fields that transformers 4 wrote.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
import transformers as t
from safetensors.torch import load_file, save_file

llama = dict(
    vocab_size=64,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=40,
    max_position_embeddings=64,
    bos_token_id=0,
    eos_token_id=0,
    pad_token_id=0,
)
opt = dict(
    vocab_size=64,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    ffn_dim=48,
    max_position_embeddings=32,
    pad_token_id=1,
)
# Experts that are chosen among more.
sparse = llama | dict(intermediate_size=24)
of_projections = sparse | dict(moe_intermediate_size=16)
gpt = dict(vocab_size=64, hidden_size=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0, pad_token_id=0)
gpt_bigcode = dict(
    vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=64, n_inner=48, bos_token_id=0, eos_token_id=0
)
falcon = dict(
    vocab_size=64,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    ffn_hidden_size=48,
    bos_token_id=0,
    eos_token_id=0,
    pad_token_id=0,
)
# Layers whose states do not grow with the text, read beyond the 64 tokens that are computed side by side.
recurrent = dict(vocab_size=64, hidden_size=32, num_hidden_layers=2, bos_token_id=0, eos_token_id=0, pad_token_id=0)
tower = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=8, patch_size=4)
qwen_tower = dict(depth=1, hidden_size=8, out_hidden_size=32)
qwen_tokens = dict(image_token_id=63, video_token_id=62, vision_start_token_id=61, vision_end_token_id=60)
short = [1.0, 1.1, 1.2]
long = [1.0, 2.0, 4.0]


def rope(**parameters):
    return dict(rope_parameters=dict(rope_theta=10000.0, **parameters))


# name: (configuration, time, fields to add to config.json, fields to drop from it)
variants = {
    # Rotary positions beyond the length of pretraining.
    "llama_dynamic_beyond": (
        t.LlamaConfig(**llama | dict(max_position_embeddings=16), **rope(rope_type="dynamic", factor=4.0)),
        40,
    ),
    "llama_yarn_biases": (
        t.LlamaConfig(
            **llama,
            **rope(
                rope_type="yarn",
                factor=4.0,
                original_max_position_embeddings=16,
                mscale=0.7,
                mscale_all_dim=1.1,
                beta_fast=2.0,
                beta_slow=0.05,
                truncate=False,
            ),
            attention_bias=True,
            mlp_bias=True,
            hidden_act="quick_gelu",
        ),
        40,
    ),
    # Longer than original_max_position_embeddings, so the long factors count; 6 of 8 numbers of a head rotated.
    "phi3_longrope_v4config": (
        t.Phi3Config(
            **llama,
            original_max_position_embeddings=16,
            sliding_window=9,
            **rope(rope_type="longrope", partial_rotary_factor=0.75, short_factor=short, long_factor=long),
        ),
        40,
        dict(
            rope_theta=10000.0,
            partial_rotary_factor=0.75,
            rope_scaling=dict(type="longrope", short_factor=short, long_factor=long),
        ),
        ["rope_parameters"],
    ),
    "qwen2_windows": (
        t.Qwen2Config(**llama, use_sliding_window=True, sliding_window=5, max_window_layers=1),
        24,
        {},
        ["layer_types"],
    ),
    "gemma": (t.GemmaConfig(**llama, head_dim=12, hidden_act="gelu"), 24),
    # Caps that scores and logits reach.
    "gemma2_tight_caps": (
        t.Gemma2Config(
            **llama,
            head_dim=12,
            sliding_window=4,
            attn_logit_softcapping=1.5,
            final_logit_softcapping=2.0,
            query_pre_attn_scalar=5,
        ),
        24,
    ),
    "gemma3_text_v4config": (
        t.Gemma3TextConfig(
            **llama,
            head_dim=8,
            sliding_window=4,
            sliding_window_pattern=2,
            rope_parameters=dict(
                full_attention=dict(rope_type="linear", factor=4.0, rope_theta=50000.0),
                sliding_attention=dict(rope_type="default", rope_theta=500.0),
            ),
        ),
        24,
        dict(
            sliding_window_pattern=2,
            rope_theta=50000.0,
            rope_local_base_freq=500.0,
            rope_scaling=dict(rope_type="linear", factor=4.0),
        ),
        ["rope_parameters", "layer_types", "_sliding_window_pattern"],
    ),
    "granite": (
        t.GraniteConfig(
            **llama, embedding_multiplier=3.0, logits_scaling=4.0, residual_multiplier=0.5, attention_multiplier=0.2
        ),
        24,
    ),
    "cohere": (t.CohereConfig(**llama, logit_scale=0.25, use_qk_norm=True, attention_bias=True), 24),
    "cohere2": (
        t.Cohere2Config(**llama, logit_scale=0.25, sliding_window=5, layer_types=["sliding_attention", "full_attention"]),
        24,
    ),
    "phi": (t.PhiConfig(**llama, qk_layernorm=True, partial_rotary_factor=0.5), 24),
    "stablelm": (
        t.StableLmConfig(
            **llama, use_qkv_bias=True, qk_layernorm=True, use_parallel_residual=True, partial_rotary_factor=0.5
        ),
        24,
    ),
    "starcoder2": (t.Starcoder2Config(**llama, sliding_window=5), 24),
    "nemotron": (t.NemotronConfig(**llama, head_dim=12, partial_rotary_factor=0.5, mlp_bias=True), 24),
    "olmo": (t.OlmoConfig(**llama, clip_qkv=0.8), 24),
    "olmo3": (
        t.Olmo3Config(
            **llama,
            sliding_window=5,
            layer_types=["sliding_attention", "full_attention"],
            rope_parameters=dict(
                full_attention=dict(rope_type="yarn", rope_theta=500.0, factor=4.0, original_max_position_embeddings=16),
                sliding_attention=dict(rope_type="default", rope_theta=500.0),
            ),
        ),
        24,
    ),
    # Rotary positions and no window in the first layer, the other way round in the second.
    "smollm3": (t.SmolLM3Config(**llama, no_rope_layers=[1, 0], use_sliding_window=True, sliding_window=5), 24),
    "glm4": (t.Glm4Config(**llama, head_dim=12), 24),
    "exaone4": (
        t.Exaone4Config(**llama, sliding_window=5, layer_types=["sliding_attention", "full_attention"]),
        24,
    ),
    # Beyond the length of pretraining twice, where q has grown.
    "ministral3": (
        t.Ministral3Config(
            **llama,
            head_dim=12,
            **rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=8, llama_4_scaling_beta=0.2),
        ),
        24,
    ),
    # A tied language model inside a model of images.
    "gemma3": (
        t.Gemma3Config(
            text_config=llama | dict(head_dim=8, sliding_window=5),
            vision_config=tower | dict(model_type="siglip_vision_model"),
            mm_tokens_per_image=4,
        ),
        24,
    ),
    "bloom": (t.BloomConfig(**gpt), 24),
    # Six heads are no power of two.
    "mpt": (
        t.MptConfig(
            vocab_size=64, d_model=36, n_layers=2, n_heads=6, max_seq_len=64, bos_token_id=0, eos_token_id=0,
            attn_config=dict(clip_qkv=0.7),
        ),
        24,
    ),
    "falcon": (t.FalconConfig(**falcon), 24),
    # Eager attention of transformers 5 adds the biases twice, sdpa as the first implementation did.
    "falcon_alibi": (
        t.FalconConfig(**falcon, new_decoder_architecture=True, num_kv_heads=2, alibi=True, bias=True),
        24,
        {},
        [],
        "sdpa",
    ),
    "gpt_bigcode": (t.GPTBigCodeConfig(**gpt_bigcode), 24),
    "codegen": (t.CodeGenConfig(**gpt_bigcode, rotary_dim=4), 24),
    "seed_oss": (t.SeedOssConfig(**llama, head_dim=12, attention_out_bias=True), 24),
    "mixtral": (t.MixtralConfig(**sparse, num_local_experts=4, sliding_window=9), 24),
    # Experts in one tensor each, as transformers 5 names its modules.
    "mixtral_fused": (t.MixtralConfig(**sparse, num_local_experts=5, num_experts_per_tok=2), 24),
    "qwen2_moe": (
        t.Qwen2MoeConfig(
            **of_projections | dict(num_hidden_layers=3),
            num_experts=5,
            num_experts_per_tok=2,
            shared_expert_intermediate_size=20,
            mlp_only_layers=[1],
            use_sliding_window=True,
            sliding_window=5,
        ),
        24,
    ),
    "qwen3_moe": (
        t.Qwen3MoeConfig(
            **of_projections, head_dim=8, num_experts=5, num_experts_per_tok=3, norm_topk_prob=True, attention_bias=True
        ),
        24,
    ),
    "olmoe": (t.OlmoeConfig(**sparse, num_experts=5, num_experts_per_tok=2, clip_qkv=1.2), 24),
    "granitemoe": (
        t.GraniteMoeConfig(
            **sparse,
            num_local_experts=5,
            embedding_multiplier=3.0,
            logits_scaling=4.0,
            residual_multiplier=0.5,
            attention_multiplier=0.2,
        ),
        24,
    ),
    "glm4_moe": (
        t.Glm4MoeConfig(
            **of_projections,
            head_dim=12,
            use_qk_norm=True,
            attention_bias=True,
            n_routed_experts=6,
            n_group=3,
            topk_group=2,
            num_experts_per_tok=2,
        ),
        24,
    ),
    "gpt_oss": (t.GptOssConfig(**sparse, head_dim=8, sliding_window=5, num_local_experts=4, num_experts_per_tok=2), 24),
    "llama4_text": (
        t.Llama4TextConfig(
            **sparse,
            head_dim=8,
            intermediate_size_mlp=28,
            num_local_experts=4,
            num_experts_per_tok=2,
            moe_layers=[1],
            attention_chunk_size=7,
            no_rope_layers=[1, 0],
            floor_scale=5,
            attn_scale=0.3,
        ),
        24,
    ),
    # Experts as published: blocks of 32 weights of 4 bits.
    "gpt_oss_mxfp4": (
        t.GptOssConfig(
            **sparse | dict(intermediate_size=32),
            head_dim=8,
            sliding_window=5,
            num_local_experts=3,
            num_experts_per_tok=2,
            tie_word_embeddings=False,
        ),
        24,
    ),
    # Matrices as published: float8 in blocks, at whose edges some are cut off.
    "deepseek_v3_fp8": (
        t.DeepseekV3Config(
            **of_projections | dict(num_key_value_heads=4),
            kv_lora_rank=12,
            q_lora_rank=None,
            qk_nope_head_dim=8,
            qk_rope_head_dim=6,
            v_head_dim=10,
            first_k_dense_replace=1,
            n_routed_experts=4,
            n_group=1,
            topk_group=1,
            num_experts_per_tok=2,
        ),
        24,
    ),
    # 1.25 as a factor on q . k, from YaRN.
    "deepseek_v3": (
        t.DeepseekV3Config(
            **of_projections | dict(num_key_value_heads=4),
            kv_lora_rank=12,
            q_lora_rank=14,
            qk_nope_head_dim=8,
            qk_rope_head_dim=6,
            v_head_dim=10,
            first_k_dense_replace=1,
            n_routed_experts=6,
            n_group=3,
            topk_group=2,
            num_experts_per_tok=3,
            **rope(
                rope_type="yarn", factor=4.0, original_max_position_embeddings=16, mscale=0.5, mscale_all_dim=0.85
            ),
        ),
        24,
    ),
    "qwen3_next": (
        t.Qwen3NextConfig(
            **of_projections | dict(num_hidden_layers=2, max_position_embeddings=96),
            head_dim=16,
            layer_types=["linear_attention", "full_attention"],
            linear_num_key_heads=2,
            linear_num_value_heads=4,
            linear_key_head_dim=8,
            linear_value_head_dim=6,
            shared_expert_intermediate_size=20,
            num_experts=4,
            num_experts_per_tok=2,
        ),
        80,
    ),
    "lfm2": (
        t.Lfm2Config(
            **llama,
            layer_types=["conv", "full_attention"],
            conv_bias=True,
            block_multiple_of=8,
            block_ffn_dim_multiplier=1.3,
        ),
        24,
    ),
    "mamba": (t.MambaConfig(**recurrent, state_size=6, use_bias=True), 80),
    "mamba2": (
        t.Mamba2Config(
            **recurrent,
            num_heads=8,
            head_dim=8,
            n_groups=2,
            state_size=6,
            time_step_limit=(0.05, 0.9),
            use_bias=True,
        ),
        80,
    ),
    # Norms after each part, embeddings narrower than the blocks.
    "opt_350m": (t.OPTConfig(**opt, word_embed_proj_dim=20, do_layer_norm_before=False), 24),
    "opt_without_biases": (
        t.OPTConfig(**opt, enable_bias=False, layer_norm_elementwise_affine=False, activation_function="gelu"),
        24,
    ),
    "gpt2_scaled_by_layer": (
        t.GPT2Config(
            vocab_size=64,
            n_embd=24,
            n_layer=3,
            n_head=3,
            n_positions=32,
            n_inner=40,
            scale_attn_by_inverse_layer_idx=True,
            tie_word_embeddings=False,
            activation_function="relu",
        ),
        24,
    ),
}


flags = {
    "deepseek_v3_halves": (
        t.DeepseekV3Config(
            **of_projections | dict(num_key_value_heads=4),
            kv_lora_rank=12,
            q_lora_rank=None,
            qk_nope_head_dim=8,
            qk_rope_head_dim=6,
            v_head_dim=10,
            first_k_dense_replace=0,
            n_routed_experts=4,
            n_group=1,
            topk_group=1,
            num_experts_per_tok=2,
            n_shared_experts=2,
            norm_topk_prob=False,
            rope_interleave=False,
            attention_bias=True,
        ),
        24,
    ),
    "llama4_interval": (
        t.Llama4TextConfig(
            **sparse | dict(num_hidden_layers=3),
            head_dim=8,
            intermediate_size_mlp=28,
            num_local_experts=3,
            interleave_moe_layer_step=2,
            attention_chunk_size=5,
            no_rope_layer_interval=2,
            use_qk_norm=False,
            attn_temperature_tuning=False,
            attention_bias=True,
        ),
        24,
    ),
    "gpt_oss_without_biases": (
        t.GptOssConfig(
            **sparse | dict(num_key_value_heads=4),
            head_dim=6,
            attention_bias=False,
            num_local_experts=3,
            num_experts_per_tok=1,
            layer_types=["full_attention", "sliding_attention"],
            sliding_window=3,
        ),
        24,
    ),
    "qwen3_next_interval": (
        t.Qwen3NextConfig(
            **of_projections,
            head_dim=8,
            full_attention_interval=2,
            linear_num_key_heads=2,
            linear_num_value_heads=2,
            linear_key_head_dim=6,
            linear_value_head_dim=8,
            linear_conv_kernel_dim=3,
            shared_expert_intermediate_size=20,
            num_experts=3,
            num_experts_per_tok=2,
            mlp_only_layers=[1],
            norm_topk_prob=False,
            attention_bias=True,
            **rope(rope_type="default", partial_rotary_factor=0.5),
        ),
        24,
        dict(full_attention_interval=2),
        ["layer_types"],
    ),
    "lfm2_by_index": (
        t.Lfm2Config(**llama, full_attn_idxs=[1], conv_L_cache=2, block_auto_adjust_ff_dim=False),
        24,
        {},
        ["layer_types"],
    ),
    "mamba_untied": (
        t.MambaConfig(
            **recurrent,
            state_size=4,
            conv_kernel=1,
            time_step_rank="auto",
            use_conv_bias=False,
            hidden_act="gelu",
            tie_word_embeddings=False,
        ),
        24,
    ),
    "mamba2_one_group": (
        t.Mamba2Config(**recurrent, num_heads=4, head_dim=16, n_groups=1, state_size=4, tie_word_embeddings=True),
        70,
    ),
    "llava": (
        t.LlavaConfig(
            text_config=llama | dict(model_type="qwen2"),
            vision_config=tower | dict(model_type="clip_vision_model"),
            image_token_index=63,
        ),
        24,
    ),
    "mistral3": (
        t.Mistral3Config(
            text_config=llama | dict(model_type="ministral3", head_dim=12),
            vision_config=tower | dict(model_type="pixtral"),
            image_token_index=63,
        ),
        24,
    ),
    "qwen2_5_vl": (
        t.Qwen2_5_VLConfig(
            text_config=llama | rope(rope_type="default", mrope_section=[1, 1, 2]),
            vision_config=qwen_tower | dict(intermediate_size=8, num_heads=1, fullatt_block_indexes=[0]),
            **qwen_tokens,
        ),
        24,
    ),
    # As the hub's files have it: the text part's fields among the others.
    "qwen2_vl_flat": (
        t.Qwen2VLConfig(
            text_config=llama | rope(rope_type="default", mrope_section=[1, 1, 2]),
            vision_config=dict(depth=1, embed_dim=8, hidden_size=32, num_heads=1, mlp_ratio=1),
            tie_word_embeddings=True,
            **qwen_tokens,
        ),
        24,
        llama | dict(rope_theta=10000.0, rms_norm_eps=1e-5, rope_scaling=dict(type="mrope", mrope_section=[1, 1, 2])),
        ["text_config"],
    ),
    "qwen3_vl": (
        t.Qwen3VLConfig(
            text_config=llama | dict(head_dim=8) | rope(rope_type="default", mrope_section=[1, 1, 2], mrope_interleaved=True),
            vision_config=qwen_tower
            | dict(intermediate_size=8, num_heads=1, deepstack_visual_indexes=[0], num_position_embeddings=16),
            **qwen_tokens,
        ),
        24,
    ),
    "idefics3": (
        t.Idefics3Config(text_config=llama | dict(model_type="llama"), vision_config=tower, image_token_id=63),
        24,
    ),
    "phi_tied": (t.PhiConfig(**llama, partial_rotary_factor=1.0, hidden_act="relu", tie_word_embeddings=True), 24),
    "stablelm_in_turn": (t.StableLmConfig(**llama, partial_rotary_factor=0.5), 24),
    "stablelm_norms_in_turn": (t.StableLmConfig(**llama, qk_layernorm=True, partial_rotary_factor=0.5), 24),
    "starcoder2_without_biases": (t.Starcoder2Config(**llama, use_bias=False, tie_word_embeddings=False), 24),
    "nemotron_biases": (t.NemotronConfig(**llama, attention_bias=True, tie_word_embeddings=True), 24),
    "olmo_biases": (t.OlmoConfig(**llama, attention_bias=True, tie_word_embeddings=True), 24),
    # Fields of transformers 4, in which only the layers without a window are stretched.
    "olmo3_v4config": (
        t.Olmo3Config(
            **llama,
            sliding_window=5,
            layer_types=["sliding_attention", "full_attention"],
            rope_parameters=dict(
                full_attention=dict(rope_type="linear", rope_theta=500000.0, factor=4.0),
                sliding_attention=dict(rope_type="default", rope_theta=500000.0),
            ),
        ),
        24,
        dict(rope_theta=500000.0, rope_scaling=dict(rope_type="linear", factor=4.0)),
        ["rope_parameters"],
    ),
    "smollm3_interval": (
        t.SmolLM3Config(**llama, no_rope_layer_interval=2, attention_bias=True, mlp_bias=True, tie_word_embeddings=False),
        24,
        {},
        ["no_rope_layers", "layer_types"],
    ),
    "glm4_without_biases": (
        t.Glm4Config(**llama, head_dim=8, attention_bias=False, partial_rotary_factor=1.0, tie_word_embeddings=True),
        24,
    ),
    "exaone4_without_windows": (
        t.Exaone4Config(**llama, sliding_window=None, layer_types=["full_attention"] * 2),
        24,
    ),
    "exaone4_pattern": (
        t.Exaone4Config(**llama, sliding_window=5, sliding_window_pattern=2, tie_word_embeddings=True),
        24,
        {},
        ["layer_types"],
    ),
    "ministral3_window": (
        t.Ministral3Config(**llama, head_dim=8, sliding_window=5, tie_word_embeddings=True),
        24,
        {},
        ["rope_parameters"],
    ),
    "seed_oss_mlp_biases": (t.SeedOssConfig(**llama, head_dim=8, attention_bias=False, mlp_bias=True), 24),
    # As the hub's files name them.
    "bloom_after_norms": (
        t.BloomConfig(**gpt | dict(n_head=6, hidden_size=36), apply_residual_connection_post_layernorm=True),
        24,
        dict(n_embed=36, num_attention_heads=6),
        ["hidden_size", "n_head"],
    ),
    "mpt_scale": (
        t.MptConfig(
            vocab_size=64, d_model=32, n_layers=2, n_heads=4, max_seq_len=64, expansion_ratio=2, no_bias=False,
            attn_config=dict(softmax_scale=0.3), bos_token_id=0, eos_token_id=0, tie_word_embeddings=False,
        ),
        24,
    ),
    "falcon_groups": (
        t.FalconConfig(**falcon, new_decoder_architecture=True, num_kv_heads=2, bias=True, tie_word_embeddings=False),
        24,
    ),
    "falcon_groups_one_norm": (
        t.FalconConfig(**falcon, new_decoder_architecture=True, num_kv_heads=1, num_ln_in_parallel_attn=1),
        24,
    ),
    "falcon_in_turn": (t.FalconConfig(**falcon, parallel_attn=False, multi_query=False, activation="relu"), 24),
    "gpt_bigcode_heads": (
        t.GPTBigCodeConfig(**gpt_bigcode, multi_query=False, scale_attn_weights=False, tie_word_embeddings=False),
        24,
    ),
    "codegen_tied": (t.CodeGenConfig(**gpt_bigcode, rotary_dim=8, tie_word_embeddings=True), 24),
}


def float8(tensors, size):
    """DeepSeek's blocks of float8: each matrix in the layers, and a factor for each block."""
    packed = {}
    for name, matrix in tensors.items():
        if not name.endswith("proj.weight") and "kv_a_proj" not in name:
            packed[name] = matrix
            continue
        rows, columns = matrix.shape
        row, column = torch.arange(rows) // size, torch.arange(columns) // size
        scales = torch.zeros(int(row[-1]) + 1, int(column[-1]) + 1)
        for i in range(scales.shape[0]):
            for j in range(scales.shape[1]):
                scales[i, j] = matrix[row == i][:, column == j].float().abs().max() / 448
        packed[name] = (matrix.float() / scales[row][:, column]).to(torch.float8_e4m3fn)
        packed[f"{name}_scale_inv"] = scales
    return packed


def widened_float8(packed, size):
    """The same as float32."""
    tensors = {}
    for name, matrix in packed.items():
        scales = packed.get(f"{name}_scale_inv")
        if scales is not None:
            row, column = (torch.arange(length) // size for length in matrix.shape)
            tensors[name] = matrix.float() * scales[row][:, column]
        elif not name.endswith("_scale_inv"):
            tensors[name] = matrix.float()
    return tensors


def mxfp4(tensors):
    """gpt-oss's experts in MXFP4: random codes, since any are weights."""
    packed = {}
    for name, matrix in tensors.items():
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            packed[name] = matrix
            continue
        experts, inputs, outputs = matrix.shape
        packed[f"{name}_blocks"] = torch.randint(0, 256, (experts, outputs, inputs // 32, 16), dtype=torch.uint8)
        packed[f"{name}_scales"] = torch.randint(123, 126, (experts, outputs, inputs // 32), dtype=torch.uint8)
    return packed


def widened_mxfp4(packed):
    """The same by transformers' own conversion."""
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    tensors = {}
    for name, matrix in packed.items():
        if name.endswith("_blocks"):
            name = name.removesuffix("_blocks")
            tensors[name] = convert_moe_packed_tensors(matrix, packed[f"{name}_scales"], dtype=torch.float32)
        elif not name.endswith("_scales"):
            tensors[name] = matrix.float()
    return tensors


def pack(folder):
    """Stores a checkpoint's matrices as makers publish them. Returns what they stand for, as float32."""
    tensors = load_file(folder / "model.safetensors")
    if folder.name.endswith("_mxfp4"):
        quantized, packed = dict(quant_method="mxfp4"), mxfp4(tensors)
        widened = widened_mxfp4(packed)
    else:
        size = 12
        quantized = dict(quant_method="fp8", fmt="e4m3", activation_scheme="dynamic", weight_block_size=[size, size])
        packed = float8(tensors, size)
        widened = widened_float8(packed, size)
    save_file(packed, folder / "model.safetensors", dict(format="pt"))
    fields = json.loads((folder / "config.json").read_text()) | dict(quantization_config=quantized)
    (folder / "config.json").write_text(json.dumps(fields, indent=2) + "\n")
    return widened


def make(folder, config, time, added={}, dropped=(), attention="eager"):
    torch.manual_seed(len(folder.name))
    whole = t.AutoModelForImageTextToText if hasattr(config, "vision_config") else t.AutoModelForCausalLM
    model = whole.from_config(config, attn_implementation=attention).eval()
    with torch.no_grad():
        corrections = [(name, bias) for name, bias in model.named_buffers() if name.endswith("correction_bias")]
        for name, weight in [*model.named_parameters(), *corrections]:
            stored_less_one = "gemma" in config.model_type or config.model_type in ("nemotron", "qwen3_next")
            centre = 1.0 if "norm" in name and name.endswith("weight") and not stored_less_one else 0.0
            weight.copy_(centre + 0.3 * torch.randn_like(weight))
    model.half().save_pretrained(folder, save_original_format=not folder.name.endswith("_fused"))
    (folder / "generation_config.json").unlink(missing_ok=True)
    fields = json.loads((folder / "config.json").read_text()) | added
    fields = {name: value for name, value in fields.items() if name not in dropped}
    (folder / "config.json").write_text(json.dumps(fields, indent=2) + "\n")

    if folder.name.endswith(("_fp8", "_mxfp4")):
        with tempfile.TemporaryDirectory() as place:
            config.save_pretrained(place)
            save_file(pack(folder), Path(place) / "model.safetensors", dict(format="pt"))
            model = type(model).from_pretrained(place, dtype=torch.float32, attn_implementation=attention).eval()
    else:
        model = type(model).from_pretrained(folder, dtype=torch.float32, attn_implementation=attention).eval()
    # None of those that stand for an image.
    ids = torch.randint(0, 60 if hasattr(config, "vision_config") else config.vocab_size, (2, time))
    caught = {}
    model.get_output_embeddings().register_forward_hook(lambda _, inputs, __: caught.update(hidden=inputs[0]))
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits
    tensors = dict(input_ids=ids, hidden=caught["hidden"].contiguous(), logits=logits.contiguous())
    save_file(tensors, folder / "expected.safetensors")


if __name__ == "__main__":
    out, *names = sys.argv[1:]
    cases = dict(arch=variants, flags=flags)[out]
    for name in names or cases:
        make(Path(__file__).parent / out / name, *cases[name])
