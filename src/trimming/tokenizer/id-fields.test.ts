import { expect, test } from "vitest";
import { configTokenIds, renumberedAddedTokens, renumberedConfig, renumberedTokenizerConfig } from "./id-fields.js";

const plusHundred = (id: number) => id + 100;

test("every id of a config follows, and nothing else", () => {
  const config = {
    vocab_size: 50,
    hidden_size: 3,
    eos_token_id: [1, 2],
    pad_token_id: null,
    image_token_index: 7,
    num_hidden_layers: 4,
    text_config: { vocab_size: 50, bos_token_id: 3, rope_theta: 5 },
    forced_decoder_ids: [
      [1, 8],
      [2, 9],
    ],
    sequence_bias: [[[10, 11], -2]],
    begin_suppress_tokens: [12],
    vision_config: { vocab_size: 9 },
  };
  const text = JSON.stringify(config);
  expect(configTokenIds(text, 50)).toEqual([1, 2, 7, 3, 8, 9, 10, 11, 12]);
  expect(configTokenIds(text, 3)).toEqual([1, 2]);
  expect(JSON.parse(renumberedConfig(text, plusHundred, { before: 50, after: 40 }))).toEqual({
    ...config,
    vocab_size: 40,
    eos_token_id: [101, 102],
    image_token_index: 107,
    text_config: { vocab_size: 40, bos_token_id: 103, rope_theta: 5 },
    forced_decoder_ids: [
      [1, 108],
      [2, 109],
    ],
    sequence_bias: [[[110, 111], -2]],
    begin_suppress_tokens: [112],
  });
});

test("tokenizer_config.json has ids for names, added_tokens.json for numbers", () => {
  const text =
    '{"model_max_length":1000000000000000019884624838656,"added_tokens_decoder":{"5":{"content":"5"}},"pad_token_id":6}';
  expect(renumberedTokenizerConfig(text, plusHundred)).toBe(
    '{"model_max_length":1000000000000000019884624838656,"added_tokens_decoder":{"105":{"content":"5"}},"pad_token_id":106}',
  );
  expect(renumberedAddedTokens('{"<a>": 5, "7": 6}', plusHundred)).toBe('{"<a>": 105, "7": 106}');
});
