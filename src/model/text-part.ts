import { quote } from "../tensor/strict-json.js";
import type { Architecture } from "./architecture.js";
import type { Config } from "./config.js";
import { refuseQuantizedConfig } from "./unreadable-weights.js";

/**
 * `model_type`s of models that read images or sound besides text and hand all to a language model of another family as it
 * is; and that family, where the config does not say. Those whose language model computes something else for them are
 * left out: PaliGemma looks both ways in a prompt, Mllama and Idefics 1 have layers of their own between the others.
 */
const wrappers: Readonly<Record<string, string>> = {
  aya_vision: "cohere2",
  cohere2_vision: "cohere2",
  deepseek_vl: "llama",
  gemma3: "gemma3_text",
  got_ocr2: "qwen2",
  idefics3: "llama",
  internvl: "qwen2",
  lighton_ocr: "qwen3",
  llama4: "llama4_text",
  llava: "llama",
  llava_next: "llama",
  llava_next_video: "llama",
  llava_onevision: "qwen2",
  mistral3: "mistral",
  qwen2_5_vl: "qwen2_5_vl_text",
  qwen2_audio: "qwen2",
  qwen2_vl: "qwen2_vl_text",
  qwen3_vl: "qwen3_vl_text",
  smolvlm: "llama",
  video_llava: "llama",
  vipllava: "llama",
  voxtral: "llama",
};
export const wrapperTypes: readonly string[] = Object.keys(wrappers);

/** Text parts that are of a family under a name of their own, but for three numbers a position, which text has one of. */
const families: Readonly<Record<string, string>> = {
  qwen2_vl_text: "qwen2",
  qwen2_5_vl_text: "qwen2",
  qwen3_vl_text: "qwen3",
};

/** Whose configs have the fields of the text part among their own, in the files of transformers 4. */
const flatTypes = ["qwen2_vl", "qwen2_5_vl"];

type Fields = Readonly<Record<string, unknown>>;

/** @param kvHeads left out where there are as many as heads of q */
function sizes(
  V: number,
  d: number,
  inner: number,
  layers: number,
  positions: number,
  heads: number,
  kvHeads?: number,
) {
  return {
    vocab_size: V,
    hidden_size: d,
    intermediate_size: inner,
    num_hidden_layers: layers,
    max_position_embeddings: positions,
    num_attention_heads: heads,
    ...(kvHeads === undefined ? {} : { num_key_value_heads: kvHeads }),
  };
}

const qwenVl = {
  ...sizes(152_064, 8192, 29_568, 80, 32_768, 64, 8),
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
  max_window_layers: 80,
};

/** What transformers takes for fields that it leaves out of a nested config, because they are the family's usual ones. */
const usual: Readonly<Record<string, Fields>> = {
  cohere2: sizes(256_000, 8192, 22_528, 40, 8192, 64),
  gemma: sizes(256_000, 3072, 24_576, 28, 8192, 16, 16),
  gemma2: sizes(256_000, 2304, 9216, 26, 8192, 8, 4),
  gemma3_text: sizes(262_208, 2304, 9216, 26, 131_072, 8, 4),
  llama: sizes(32_000, 4096, 11_008, 32, 2048, 32),
  llama4_text: sizes(202_048, 5120, 8192, 48, 131_072, 40, 8),
  ministral3: sizes(131_072, 4096, 14_336, 34, 262_144, 32, 8),
  mistral: sizes(32_000, 4096, 14_336, 32, 131_072, 32, 8),
  qwen2: sizes(151_936, 4096, 22_016, 32, 32_768, 32, 32),
  qwen2_vl_text: qwenVl,
  qwen2_5_vl_text: qwenVl,
  qwen3: sizes(151_936, 4096, 22_016, 32, 32_768, 32, 32),
  qwen3_vl_text: { ...sizes(151_936, 4096, 22_016, 32, 128_000, 32, 32), rope_theta: 5e5 },
};

/** Where a text part's tensors are, before the family's own prefixes. */
const places = ["model.language_model.", "language_model.", "language_model.model.", "model.text_model.", ""];

/** The text part of a larger model. */
export interface InnerModel {
  /** As the config calls it. */
  readonly modelType: string;
  /** The family that it is of. */
  readonly family: string;
  readonly config: Config;
  /** The field with its config; undefined where its fields are among the others. */
  readonly field: "text_config" | undefined;
  /** Fields that its config lacks or has in other words, as the family by itself has them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** A family's architecture where its tensors lie inside the larger model. */
  inside(architecture: Architecture): Architecture;
}

/** @returns undefined if the `model_type` is not one that has such a part */
export function textPart(whole: Config, wholeType: string): InnerModel | undefined {
  const usualType = Object.hasOwn(wrappers, wholeType) ? wrappers[wholeType] : undefined;
  if (usualType === undefined) return undefined;
  const nested = whole.object("text_config");
  const own = nested ?? (flatTypes.includes(wholeType) ? whole : whole.fail("text_config", "is missing"));
  if (nested !== undefined) refuseQuantizedConfig(nested);
  const modelType = nested?.string("model_type", usualType) ?? usualType;
  const renamed = Object.hasOwn(families, modelType);
  const fields = {
    ...missingFields(own, Object.hasOwn(usual, modelType) ? usual[modelType]! : {}),
    ...(renamed ? withOnePosition(own) : {}),
    tie_word_embeddings: isTied(whole, own),
  };
  const family = renamed ? families[modelType]! : modelType;
  const said = `is ${quote(wholeType)}, of which the language model alone is read, a ${quote(modelType)}`;
  return {
    modelType,
    family,
    config: own.with(fields),
    field: nested && "text_config",
    fields: { ...fields, ...missingFields(own, specialTokens(whole)), model_type: family },
    inside: (architecture) => architectureInside(architecture, whole, said),
  };
}

function architectureInside(
  { prefixes, describe, ...others }: Architecture,
  whole: Config,
  said: string,
): Architecture {
  const inside = places.flatMap((place) => prefixes.map((prefix) => place + prefix));
  return {
    ...others,
    prefixes: [...new Set(inside)],
    describe(config, weights) {
      const description = describe(config, weights);
      const { scale = 1, softCap } = description.head.transform ?? {};
      if (scale !== 1 || softCap !== undefined) {
        const reason = "inside such a model transformers 4 does so and transformers 5 does not";
        whole.fail("model_type", `${said} that scales or caps its logits: ${reason}; open that model by itself`);
      }
      const { name } = description.inputEmbedding;
      const prefix = name.replace(/[^.]+\.weight$/, "");
      whole.notice("model_type", `${said} whose tensors begin with ${quote(prefix)}; what is not text is passed over`);
      // The head of its own lies beside the embedding's model, where the whole has not taken it over.
      const ownName = name.startsWith("language_model.") ? "language_model.lm_head.weight" : undefined;
      return ownName === undefined ? description : { ...description, head: { ...description.head, ownName } };
    },
  };
}

/** Names of a text part's tensors without those of the places where it lies; others as they are. */
export function nameByItself(name: string): string {
  return name
    .replace(/^language_model\.lm_head\./, "lm_head.")
    .replace(/^(?:model\.language_model|language_model\.model(?:\.model)?|model\.text_model)\./, "model.");
}

function specialTokens(whole: Config): Fields {
  const names = ["bos_token_id", "eos_token_id", "pad_token_id"].filter((field) => whole.has(field));
  return Object.fromEntries(names.map((field) => [field, whole.unknown(field)]));
}

function missingFields(config: Config, fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => !config.has(field) && !config.isNull(field)));
}

/** Of a text's tokens all three numbers of a position are the same, so that it does not matter which a pair turns by. */
function withOnePosition(config: Config): Fields {
  const changed = ["rope_scaling", "rope_parameters"].flatMap((field) => {
    const rope = config.unknown(field);
    if (typeof rope !== "object" || rope === null) return [];
    const { mrope_section: _, mrope_interleaved: __, ...others } = rope as Record<string, unknown>;
    const plain = Object.entries(others).map(([name, value]) => [name, value === "mrope" ? "default" : value]);
    return [[field, Object.fromEntries(plain)]];
  });
  return Object.fromEntries(changed);
}

/** Either config may say so; if neither does, a head that is stored still counts. */
function isTied(whole: Config, own: Config): boolean {
  const saying = [whole, own].filter((config) => config.has("tie_word_embeddings"));
  return saying.length === 0 || saying.some((config) => config.boolean("tie_word_embeddings"));
}
