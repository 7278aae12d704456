import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, it } from "vitest";
import { processorCapabilities } from "../../engine/capabilities.js";
import type { Engine } from "../../engine/engine.js";
import type { Graph } from "../../engine/graph.js";
import { InputError } from "../../errors.js";
import { bytesSource, type Folder } from "../../tensor/byte-source.js";
import { openModel } from "../model.js";

const goldens = fileURLToPath(new URL("../../../test/goldens/arch/", import.meta.url));
const names = readdirSync(goldens).filter((name) => readdirSync(goldens + name).includes("model.safetensors"));

type Fields = Readonly<Record<string, unknown>>;
const configOf = (name: string): Fields => JSON.parse(readFileSync(`${goldens}${name}/config.json`, "utf8"));

/** A checkpoint's weights with another config. */
function checkpoint(name: string, config: Fields): Folder {
  const files = new Map([
    ["config.json", new TextEncoder().encode(JSON.stringify(config))],
    ["model.safetensors", new Uint8Array(readFileSync(`${goldens}${name}/model.safetensors`))],
  ]);
  return {
    name,
    open: async (file) => {
      const bytes = files.get(file);
      return bytes && bytesSource(`${name}/${file}`, bytes);
    },
  };
}

/** Builds the model's graph and computes nothing. @returns its size */
async function build(folder: Folder): Promise<number> {
  let bytes = 0;
  const engine: Engine = {
    threads: 1,
    capabilities: processorCapabilities,
    load: async (graph: Graph) => {
      bytes = graph.encode(({ offset }) => ({ location: "weights", offset })).length;
      return {
        concurrency: 1,
        run: async () => ({ hidden: { type: "float32", data: new Float32Array(), dims: [] } }),
        release: async () => {},
      };
    },
    close: async () => {},
  };
  const model = await openModel(folder, engine, folder.name);
  await model.hiddenStates({ count: 1, length: 1, tokenIds: Int32Array.of(0) });
  return bytes;
}

const scaled = (fields: Fields) => ({ rope_scaling: null, rope_parameters: { rope_theta: 1e4, ...fields } });

const float8 = (fields: Fields) => ({
  quantization_config: { quant_method: "fp8", weight_block_size: [12, 12], ...fields },
});

it.each<[string, Fields, RegExp]>([
  ["llama_gqa", scaled({ rope_type: "mrope" }), /"rope_parameters\.rope_type" is "mrope"; one of default, linear/],
  ["llama_gqa", { rope_scaling: { type: "linear" } }, /"rope_scaling\.factor" is missing/],
  ["llama_gqa", scaled({ rope_type: "linear", factor: 0 }), /"rope_parameters\.factor" is 0/],
  [
    "llama_gqa",
    { ...scaled({ rope_type: "linear", factor: 2 }), partial_rotary_factor: 0.5 },
    /"partial_rotary_factor" is 0.5; only 1 is supported/,
  ],
  [
    "llama_gqa",
    { num_key_value_heads: 3 },
    /"num_key_value_heads" is 3, which does not divide num_attention_heads = 4/,
  ],
  ["llama_gqa", { head_dim: 7 }, /"head_dim" gives heads of 7 numbers/],
  ["llama_gqa", { attention_bias: true }, /tensor "model\.layers\.0\.self_attn\.q_proj\.bias".* is missing/],
  ["llama_gqa", { mlp_bias: true }, /mlp\.gate_proj\.bias".* is missing/],
  ["llama_gqa", { hidden_act: "xielu" }, /"hidden_act" is "xielu"; one of gelu/],
  ["llama_gqa", { num_hidden_layers: 2 ** 40 }, /tensor "model\.layers\.2\.[a-z_.]+".* is missing/],
  ["llama_gqa", { tie_word_embeddings: "yes" }, /"tie_word_embeddings" is "yes"/],
  [
    "mistral_window",
    { layer_types: ["full_attention", "sliding_attention"] },
    /"layer_types" mixes kinds of attention/,
  ],
  ["mistral_window", { sliding_window: 2.5 }, /"sliding_window" is 2.5; a positive integer is wanted/],
  ["qwen2", { layer_types: ["full_attention"] }, /"layer_types" has 1 entries for num_hidden_layers = 2/],
  ["qwen2", { layer_types: ["full_attention", "chunked_attention"] }, /"layer_types" holds "chunked_attention"/],
  [
    "qwen2",
    { layer_types: ["full_attention", "sliding_attention"] },
    /"sliding_window" is missing, but layer 1 has one/,
  ],
  ["qwen3", { head_dim: 16 }, /q_proj\.weight" has shape \[32, 32\] where the config says \[64, 32\]/],
  ["gemma2", { use_bidirectional_attention: true }, /"use_bidirectional_attention" is true; only false/],
  ["gemma2", { attn_logit_softcapping: -1 }, /"attn_logit_softcapping" is -1/],
  ["gemma3_text", { attn_logit_softcapping: 50 }, /"attn_logit_softcapping" is set/],
  [
    "gemma3_text",
    { rope_parameters: { chunked_attention: {} } },
    /"rope_parameters\.chunked_attention" is not supported/,
  ],
  [
    "gemma3_text",
    { rope_parameters: { sliding_attention: { rope_type: "proportional" } } },
    /"rope_parameters\.sliding_attention\.rope_type" is "proportional"/,
  ],
  [
    "phi3",
    scaled({ rope_type: "longrope", short_factor: [1], long_factor: [1] }),
    /short_factor" has 1 numbers; 4 above/,
  ],
  ["phi3", { attention_bias: true }, /"attention_bias" is true; only false/],
  ["mixtral", { num_local_experts: 5 }, /gate\.weight" has shape \[4, 32\] where the config says \[5, 32\]/],
  ["mixtral", { num_experts_per_tok: 5 }, /"num_experts_per_tok" is 5, more than the 4 experts that there are/],
  [
    "mixtral_fused",
    { intermediate_size: 32 },
    /experts.down_proj" has shape \[5, 32, 24\] where the config says \[5, 32, 32\]/,
  ],
  ["qwen2_moe", { mlp_only_layers: [] }, /tensor "model\.layers\.1\.mlp\.gate\.weight".* is missing/],
  ["qwen3_moe", { num_experts: 0 }, /"num_experts" is 0; a positive integer is wanted/],
  ["glm4_moe", { n_group: 4 }, /"n_group" is 4; 6 experts in groups of equal size/],
  ["glm4_moe", { topk_group: 4 }, /"topk_group" is 4, more than n_group = 3/],
  ["glm4_moe", { topk_group: 1, num_experts_per_tok: 3 }, /"topk_group" leaves 2 experts to num_experts_per_tok = 3/],
  ["gpt_oss", { swiglu_limit: 5 }, /"swiglu_limit" is 5; only 7 is supported/],
  [
    "llama4_text",
    { layer_types: ["full_attention", "sliding_attention"] },
    /"layer_types" holds "sliding_attention"; only chunked/,
  ],
  ["llama4_text", { attention_chunk_size: null }, /"attention_chunk_size" is null, but layer 0 has one/],
  ["deepseek_v3", { topk_method: "greedy" }, /"topk_method" is "greedy"; only "noaux_tc" is supported/],
  ["deepseek_v3", { num_key_value_heads: 2 }, /"num_key_value_heads" is 2; only 4 is supported/],
  [
    "qwen3_next",
    { linear_num_key_heads: 3 },
    /"linear_num_key_heads" is 3, which does not divide linear_num_value_heads = 4/,
  ],
  ["qwen3_next", { layer_types: ["conv", "full_attention"] }, /"layer_types" holds "conv"; only linear_attention/],
  ["lfm2", { layer_types: ["conv"] }, /"layer_types" has 1 entries for num_hidden_layers = 2/],
  ["lfm2", { conv_L_cache: 4 }, /conv\.weight" has shape \[32, 1, 3\] where the config says \[32, 1, 4\]/],
  ["mamba", { time_step_rank: "all" }, /"time_step_rank" is "all"; a positive integer is wanted/],
  ["mamba2", { n_groups: 3 }, /"n_groups" is 3, which does not divide num_heads = 8/],
  ["mamba2", { expand: 3 }, /"num_heads" times head_dim is 64, where expand times hidden_size is wanted/],
  ["mamba2", { time_step_limit: [0] }, /"time_step_limit" is not a list of two numbers/],
  [
    "deepseek_v3_fp8",
    { quantization_config: null },
    /"quantization_config" is missing, which says how large the blocks of "model\..*\.weight" are/,
  ],
  ["deepseek_v3_fp8", float8({ weight_block_size: [8, 8] }), /_scale_inv" is F32 \[.*\] where blocks of 8 x 8 want/],
  ["deepseek_v3_fp8", float8({ weight_block_size: null }), /"quantization_config.weight_block_size" is missing/],
  ["deepseek_v3_fp8", float8({ activation_scheme: "static" }), /activation_scheme" is "static"; only "dynamic" is/],
  ["gpt_oss_mxfp4", { quantization_config: { quant_method: "gptq" } }, /"quantization_config" says .* \(gptq\)/],
  ["gptj", { rotary_dim: null }, /"rotary_dim" is null/],
  ["gptj", { rotary_dim: 10 }, /"rotary_dim" is 10; an even number up to the head size 8/],
  ["gpt_neo", { attention_types: [[["global"], 1e300]] }, /"attention_types" does not describe as many layers/],
  ["gpt_neo", { attention_types: [[["sparse"], 2]] }, /"attention_types" is not of the form/],
  ["opt", { word_embed_proj_dim: 16 }, /embed_tokens\.weight" has shape \[160, 32\] where the config says \[160, 16\]/],
  ["bloom", { pretraining_tp: 2, slow_but_exact: true }, /"slow_but_exact" is true; only false/],
  ["bloom", { n_embed: 30 }, /"n_head" is 4, which does not divide 30/],
  ["mpt", { attn_config: { alibi: false } }, /"attn_config\.alibi" is false; only true/],
  ["mpt", { attn_config: { alibi_bias_max: 16 } }, /"attn_config\.alibi_bias_max" is 16; only 8/],
  ["mpt", { attn_config: { qk_ln: true } }, /"attn_config\.qk_ln" is true/],
  ["mpt", { logit_scale: 0.5 }, /"logit_scale" is set; only null/],
  ["mpt", { norm_type: "rmsnorm" }, /"norm_type" is "rmsnorm"; one of low_precision_layernorm, layernorm/],
  ["falcon", { new_decoder_architecture: true, parallel_attn: false }, /"parallel_attn" is false; only true/],
  ["falcon", { new_decoder_architecture: true, num_kv_heads: 3 }, /"num_kv_heads" is 3, which does not divide/],
  ["falcon", { multi_query: false, num_kv_heads: 2 }, /"num_kv_heads" is 2; without new_decoder_architecture/],
  ["falcon", { num_ln_in_parallel_attn: 2 }, /"num_ln_in_parallel_attn" is 2; without new_decoder_architecture/],
  ["falcon", { num_attention_heads: 32 }, /"num_attention_heads" gives heads of 1 numbers/],
  ["gpt_bigcode", { add_cross_attention: true }, /"add_cross_attention" is true; only false/],
  ["gpt_bigcode", { multi_query: false }, /c_attn\.weight" has shape \[48, 32\] where the config says \[96, 32\]/],
  ["codegen", { n_head: 2 }, /"n_head" is 2; a multiple of 4 is wanted/],
  ["smollm3", { no_rope_layers: [1] }, /"no_rope_layers" has 1 entries for num_hidden_layers = 2/],
  ["exaone4", { layer_types: null, sliding_window_pattern: "LG" }, /"sliding_window_pattern" is "LG"/],
  ["ministral3", { rope_parameters: { rope_type: "default" } }, /"rope_parameters\.llama_4_scaling_beta" is missing/],
  ["olmo", { clip_qkv: -1 }, /"clip_qkv" is -1/],
  ["olmo3", { rope_parameters: { rope_type: "default" } }, /"rope_parameters\.rope_type" is not supported/],
  ["stablelm", { use_parallel_residual: false }, /post_attention_layernorm\.bias".* is missing/],
  ["nemotron", { head_dim: 6 }, /"partial_rotary_factor" = 0.5 rotates 3 of each head's 6 numbers/],
  ["opt", { max_position_embeddings: 62 }, /embed_positions\.weight" has shape \[66, 32\]/],
])("%s with %o is refused by field", async (name, change, message) => {
  await expect(build(checkpoint(name, { ...configOf(name), ...change }))).rejects.toThrow(message);
});

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(0, -1, 0.5, 1, 2, 3, 7, 16, 1e-300, 1e9, 2 ** 53, 1e300, "", true, false, null, [], {}),
  fc.constantFrom<unknown>("gelu", "linear", "yarn", ["full_attention"], [[["local"], 2 ** 40]]),
);
const rope = fc.record(
  {
    rope_type: fc.constantFrom("default", "linear", "dynamic", "llama3", "yarn", "longrope"),
    factor: anything,
    rope_theta: anything,
    low_freq_factor: fc.constantFrom<unknown>(1, 1e300, "1"),
    high_freq_factor: fc.constantFrom<unknown>(4, 0.5, null),
    original_max_position_embeddings: anything,
    attention_factor: anything,
    mscale: anything,
    mscale_all_dim: fc.constant(1),
    partial_rotary_factor: fc.constantFrom<unknown>(1, 0.5, 0.3, -1),
    short_factor: fc.constantFrom<unknown>([1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], "short"),
    long_factor: fc.constantFrom<unknown>([2, 2, 2], [2, 2, 2, 2], []),
    full_attention: anything,
  },
  { requiredKeys: [] },
);

/** Far more than the graph of any golden takes: a config must not decide how much is built. */
const maxGraphBytes = 1_000_000;

it.each(names)("%s: any value in any field of the config is refused in one line or builds", async (name) => {
  const config = configOf(name);
  const fields = [...Object.keys(config), "rope_scaling", "head_dim", "layer_types", "sliding_window", "rope_theta"];
  const ropeField = config.rope_scaling ? "rope_scaling" : "rope_parameters";
  const changes = fc.oneof(
    fc.tuple(fc.constantFrom(...fields), anything).map(([field, value]) => ({ [field]: value })),
    rope.map((value) => ({ [ropeField]: value })),
  );
  const property = fc.asyncProperty(changes, async (change) => {
    try {
      expect(await build(checkpoint(name, { ...config, ...change }))).toBeLessThan(maxGraphBytes);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(/^[^\n]*(config\.json: field|: tensor|is too long)[^\n]*$/);
    }
  });
  await fc.assert(property, { numRuns: 100 });
});
