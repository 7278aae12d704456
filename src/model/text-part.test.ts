import { expect, it } from "vitest";
import { type Config, config } from "./config.js";
import { findLanguageModel } from "./language-model.js";
import { textPart } from "./text-part.js";

const whole = (fields: Record<string, unknown>): Config => config("config.json", fields);
const partOf = (fields: Record<string, unknown>) => textPart(whole(fields), String(fields.model_type))!;

it("takes the family's usual sizes for what a nested config leaves out, and nothing else", () => {
  const { family, config: own } = partOf({
    model_type: "llava",
    text_config: { vocab_size: 32_064, rms_norm_eps: 1e-5, num_key_value_heads: null },
  });
  expect(family).toBe("llama");
  expect(own.integer("vocab_size")).toBe(32_064);
  expect(own.integer("hidden_size")).toBe(4096);
  expect(own.integer("num_hidden_layers")).toBe(32);
  expect(own.isNull("num_key_value_heads")).toBe(true);
  expect(partOf({ model_type: "gemma3", text_config: {} }).config.integer("num_key_value_heads")).toBe(4);
  expect(partOf({ model_type: "mistral3", text_config: { model_type: "unknown" } }).config.has("hidden_size")).toBe(
    false,
  );
});

it("asks both configs whether the head is tied", () => {
  const tied = (outer: Record<string, unknown>, inner: Record<string, unknown>) =>
    partOf({ model_type: "llava", ...outer, text_config: inner }).config.boolean("tie_word_embeddings");
  const [yes, no] = [true, false].map((value) => ({ tie_word_embeddings: value }));
  expect([tied({}, {}), tied(yes!, no!), tied(no!, yes!), tied({}, yes!)]).toEqual([true, true, true, true]);
  expect([tied(no!, {}), tied({}, no!), tied(no!, no!)]).toEqual([false, false, false]);
});

it("makes one number of a position's three, in either place and with either name", () => {
  const rope = { type: "mrope", mrope_section: [16, 24, 24], rope_theta: 5 };
  for (const field of ["rope_scaling", "rope_parameters"]) {
    for (const fields of [{ text_config: { [field]: rope } }, { [field]: rope }]) {
      const { modelType, family, config: own } = partOf({ model_type: "qwen2_vl", ...fields });
      expect([modelType, family]).toEqual(["qwen2_vl_text", "qwen2"]);
      expect(own.unknown(field)).toEqual({ type: "default", rope_theta: 5 });
    }
  }
});

it.each<[string, Record<string, unknown>, RegExp]>([
  ["no text part", { model_type: "llava" }, /field "text_config" is missing/],
  [
    "a text part of another family",
    { model_type: "llava", text_config: { model_type: "xyz" } },
    /field "text_config\.model_type" is "xyz", an architecture that is not supported; known: gpt2/,
  ],
  [
    "a quantized text part",
    { model_type: "llava", text_config: { quantization_config: { quant_method: "awq" } } },
    /field "text_config\.quantization_config" says that the weights are quantized \(awq\)/,
  ],
  [
    "a text part that is none",
    { model_type: "gemma3", text_config: 3 },
    /field "text_config" is 3; an object is wanted/,
  ],
])("refuses %s by its field", (_, fields, message) => {
  expect(() => findLanguageModel(whole(fields))).toThrow(message);
});

it("knows no text part of models that compute something else for it", () => {
  expect(findLanguageModel(whole({ model_type: "paligemma", text_config: { model_type: "gemma" } }))).toBeUndefined();
});
