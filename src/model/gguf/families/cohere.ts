import {
  biasRules,
  decoderConfig,
  decoderRules,
  type GgufContents,
  type GgufFamily,
  normEpsilon,
  queryKeyRules,
} from "../gguf-family.js";
import { shortest } from "../gguf-metadata.js";

const rules = {
  ...decoderRules,
  ...biasRules,
  ...queryKeyRules,
  "blk.#.attn_norm.weight": "model.layers.#.input_layernorm.weight",
};

function config(contents: GgufContents): Record<string, unknown> {
  const { metadata, tensors } = contents;
  return {
    ...decoderConfig(contents),
    layer_norm_eps: normEpsilon(metadata),
    logit_scale: shortest(metadata.number(metadata.own("logit_scale"))),
    attention_bias: tensors.has("blk.0.attn_q.bias"),
  };
}

const commandR: GgufFamily = {
  architecture: "command-r",
  config: (contents) => ({
    model_type: "cohere",
    ...config(contents),
    use_qk_norm: contents.tensors.has("blk.0.attn_q_norm.weight"),
  }),
  rules: () => rules,
  tiedOnly: true,
};

const cohere2: GgufFamily = {
  architecture: "cohere2",
  config: (contents) => ({
    model_type: "cohere2",
    ...config(contents),
    sliding_window: contents.metadata.integer(contents.metadata.own("attention.sliding_window")),
    sliding_window_pattern: 4,
  }),
  rules: () => rules,
  tiedOnly: true,
};

export const cohereFamilies: readonly GgufFamily[] = [commandR, cohere2];
