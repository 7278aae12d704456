import { expect, test } from "vitest";
import { partName, partOf } from "./parts.js";

test.each([
  ["gpt_neox.embed_in.weight", "input embedding"],
  ["embed_out.weight", "head"],
  ["gpt_neox.final_layer_norm.bias", "final norm"],
  ["gpt_neox.layers.3.attention.query_key_value.weight", "layer 3 attention"],
  ["gpt_neox.layers.3.post_attention_layernorm.weight", "layer 3 norms"],
  ["gpt_neox.layers.11.mlp.dense_4h_to_h.bias", "layer 11 MLP"],
  ["transformer.wte.weight", "input embedding"],
  ["transformer.wpe.weight", "input embedding"],
  ["transformer.ln_f.weight", "final norm"],
  ["transformer.h.0.ln_1.bias", "layer 0 norms"],
  ["transformer.h.0.attn.c_attn.bias", "layer 0 attention"],
  ["h.2.mlp.c_fc.weight", "layer 2 MLP"],
  ["model.layers.7.self_attn.q_proj.weight", "layer 7 attention"],
  ["model.layers.7.self_attn.q_norm.weight", "layer 7 norms"],
  ["model.layers.7.mlp.gate_proj.weight", "layer 7 MLP"],
  ["model.layers.7.input_layernorm.weight", "layer 7 norms"],
  ["model.norm.weight", "final norm"],
  ["model.decoder.layers.4.fc1.weight", "layer 4 MLP"],
  ["model.decoder.layers.4.self_attn_layer_norm.weight", "layer 4 norms"],
  ["model.decoder.embed_positions.weight", "input embedding"],
  ["lm_head.weight", "head"],
])("%s belongs to %s", (name, part) => {
  expect(partName(partOf(name)!)).toBe(part);
});

test.each([
  "h.0.attn.bias",
  "transformer.h.0.attn.masked_bias",
  "gpt_neox.layers.0.attention.bias",
  "gpt_neox.layers.0.attention.rotary_emb.inv_freq",
])("%s is no learnt weight", (name) => {
  expect(partOf(name)).toBeUndefined();
});
