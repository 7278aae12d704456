/** Where checkpoints keep E, most particular first; the last ones are input embeddings, for tied heads. */
export const outputEmbeddingNames: readonly string[] = [
  "lm_head.weight",
  "embed_out.weight",
  "output.weight",
  "language_model.lm_head.weight",
  "model.embed_tokens.weight",
  "language_model.model.embed_tokens.weight",
  "model.language_model.embed_tokens.weight",
  "model.text_model.embed_tokens.weight",
  "model.decoder.embed_tokens.weight",
  "transformer.wte.weight",
  "wte.weight",
  "embed_tokens.weight",
  "gpt_neox.embed_in.weight",
  "backbone.embeddings.weight",
];
