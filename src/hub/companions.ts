/** Everything small that a model, or what is saved after an edit, is made of; repositories have some of them. */
export const companions: readonly string[] = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "vocab.txt",
  "merges.txt",
  "tokenizer.model",
  "chat_template.jinja",
];
