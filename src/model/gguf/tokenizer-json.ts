import { quote } from "../../tensor/strict-json.js";
import type { GgufMetadata } from "./gguf-metadata.js";
import { findPreTokenizer, preTokenizerKinds } from "./pre-tokenizers.js";

/** Kinds of tokens by their numbers in `tokenizer.ggml.token_type`. */
const kindOf = { normal: 1, unknown: 2, control: 3, userDefined: 4 } as const;

const spaceMark = "\u2581";

/** What the models of a file's tokenizer are read from: tokens, kinds and what the model needs besides. */
interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: readonly number[];
}

/**
 * The tokenizer.json that a file's metadata stands for. What GGUF does not keep is missing from it: normalizers, and what
 * strips spaces around added tokens.
 * @returns undefined if the file has no vocabulary
 * @throws InputError naming the key if the tokenizer is of a kind that is not read
 */
export function tokenizerJson(metadata: GgufMetadata): string | undefined {
  if (!metadata.has("tokenizer.ggml.tokens")) return undefined;
  const vocabulary = readVocabulary(metadata);
  const kind = metadata.string("tokenizer.ggml.model");
  const parts = kind === "gpt2" ? bytePairs(metadata, vocabulary) : sentencePieces(metadata, vocabulary, kind);
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    post_processor: beginning(metadata, vocabulary),
    ...parts,
  });
}

function readVocabulary(metadata: GgufMetadata): Vocabulary {
  const key = "tokenizer.ggml.tokens";
  const tokens = metadata.strings(key).map((token, id) => (token === "" ? `[EMPTY_${id}]` : token));
  if (new Set(tokens).size !== tokens.length) {
    const seen = new Set<string>();
    const twice = tokens.find((token) => seen.size === seen.add(token).size);
    metadata.fail(key, `holds ${quote(twice!)} twice`);
  }
  const kinds = listOf(metadata, "tokenizer.ggml.token_type", tokens.length) ?? tokens.map(() => kindOf.normal);
  return { tokens, kinds };
}

/** A number for each token; undefined if the key is missing. */
function listOf(metadata: GgufMetadata, key: string, count: number): number[] | undefined {
  if (!metadata.has(key)) return undefined;
  const numbers = metadata.unknown(key);
  if (!Array.isArray(numbers) || typeof (numbers[0] ?? 0) !== "number")
    return metadata.fail(key, "is no list of numbers");
  if (numbers.length < count) metadata.fail(key, `has ${numbers.length} items for ${count} tokens`);
  return numbers;
}

function addedTokens({ tokens, kinds }: Vocabulary) {
  const added: number[] = [];
  kinds.forEach((kind, id) => {
    if (id < tokens.length && isAdded(kind)) added.push(id);
  });
  return added.map((id) => ({
    id,
    content: tokens[id]!,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: kinds[id] !== kindOf.userDefined,
  }));
}

const isAdded = (kind: number | undefined): boolean =>
  kind === kindOf.unknown || kind === kindOf.control || kind === kindOf.userDefined;

/** Byte-level BPE, as GPT-2 has it. */
function bytePairs(metadata: GgufMetadata, { tokens }: Vocabulary) {
  const key = "tokenizer.ggml.pre";
  const name = metadata.string(key, "default");
  const split = findPreTokenizer(name);
  if (split === undefined) {
    const remedy = "give the original tokenizer with --tokenizer FOLDER";
    return metadata.fail(
      key,
      `is ${quote(name)}, which is not known (${preTokenizerKinds.flat().join(", ")}); ${remedy}`,
    );
  }
  const splits = split.patterns.map((pattern) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  }));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...splits, byteLevel] },
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      ignore_merges: split.wholeWords ?? false,
      vocab: idsOf(tokens),
      merges: metadata.strings("tokenizer.ggml.merges"),
    },
  };
}

function idsOf(tokens: readonly string[]): Record<string, number> {
  const ids: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    ids[token] = id;
  });
  return ids;
}

/** SentencePiece's BPE, with bytes for what the vocabulary lacks. */
function sentencePieces(metadata: GgufMetadata, vocabulary: Vocabulary, kind: string) {
  if (kind !== "llama") {
    const remedy = "give the original tokenizer with --tokenizer FOLDER";
    return metadata.fail("tokenizer.ggml.model", `is ${quote(kind)}; gpt2 and llama are read, else ${remedy}`);
  }
  const { tokens } = vocabulary;
  const prefix = metadata.boolean("tokenizer.ggml.add_space_prefix", true);
  const unknown = tokenId(metadata, "unknown") ?? 0;
  const toMark = { type: "Replace", pattern: { String: " " }, content: spaceMark };
  const toSpace = { type: "Replace", pattern: { String: spaceMark }, content: " " };
  return {
    normalizer: {
      type: "Sequence",
      normalizers: [...(prefix ? [{ type: "Prepend", prepend: spaceMark }] : []), toMark],
    },
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        toSpace,
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      unk_token: tokens[unknown]!,
      fuse_unk: true,
      byte_fallback: tokens.includes("<0x00>"),
      vocab: idsOf(tokens),
      merges: mergesByScore(metadata, vocabulary),
    },
  };
}

/** SentencePiece trains no longer ones. Each is cut at every place. */
const longestPiece = 512;

/** Every pair of pieces that makes a piece, in the order in which SentencePiece prefers them: by the score of what they make. */
function mergesByScore(metadata: GgufMetadata, { tokens, kinds }: Vocabulary): [string, string][] {
  const scores = listOf(metadata, "tokenizer.ggml.scores", tokens.length);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const found: { pair: [string, string]; score: number; left: number; right: number; made: number }[] = [];
  tokens.forEach((token, made) => {
    if (isAdded(kinds[made]) || /^<0x[0-9A-F]{2}>$/.test(token)) return;
    if (token.length > longestPiece)
      metadata.fail(
        "tokenizer.ggml.tokens",
        `holds a piece of ${token.length} characters; ${longestPiece} are the most`,
      );
    const given = scores?.[made] ?? 0;
    const score = Number.isNaN(given) ? Number.NEGATIVE_INFINITY : given;
    let cut = 0;
    for (const letter of token) {
      cut += letter.length;
      const pair: [string, string] = [token.slice(0, cut), token.slice(cut)];
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])];
      if (left !== undefined && right !== undefined) found.push({ pair, score, left, right, made });
    }
  });
  found.sort((a, b) => b.score - a.score || a.made - b.made || a.left - b.left || a.right - b.right);
  return found.map(({ pair }) => pair);
}

/** What puts a token before every text; null if nothing does. */
function beginning(metadata: GgufMetadata, { tokens }: Vocabulary) {
  const id = tokenId(metadata, "bos");
  if (id === undefined || !beginsTexts(metadata)) return null;
  const token = tokens[id]!;
  const begin = { SpecialToken: { id: token, type_id: 0 } };
  const sequence = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } });
  return {
    type: "TemplateProcessing",
    single: [begin, sequence("A", 0)],
    pair: [begin, sequence("A", 0), sequence("B", 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

function beginsTexts(metadata: GgufMetadata): boolean {
  return metadata.boolean("tokenizer.ggml.add_bos_token", beginByDefault(metadata));
}

/** Tokenizers that begin texts with a token where their files do not say: SentencePiece's, and one of those by bytes. */
const beginByDefault = (metadata: GgufMetadata): boolean =>
  metadata.string("tokenizer.ggml.model") === "llama" || metadata.string("tokenizer.ggml.pre", "default") === "tekken";

/** The tokenizer_config.json that a file's metadata stands for; undefined if it has no vocabulary. */
export function tokenizerConfigJson(metadata: GgufMetadata): string | undefined {
  if (!metadata.has("tokenizer.ggml.tokens")) return undefined;
  const tokens = metadata.strings("tokenizer.ggml.tokens");
  const named = (field: string, id: number | undefined) => (id === undefined ? {} : { [field]: tokens[id]! });
  const template = "tokenizer.chat_template";
  return JSON.stringify({
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    add_bos_token: beginsTexts(metadata),
    ...named("bos_token", tokenId(metadata, "bos")),
    ...named("eos_token", tokenId(metadata, "eos")),
    ...(metadata.has(template) ? { chat_template: metadata.string(template) } : {}),
  });
}

/** The id that the metadata gives to what begins or ends a text, or stands for the unknown; undefined if to none. */
export function tokenId(metadata: GgufMetadata, name: "bos" | "eos" | "unknown"): number | undefined {
  const key = `tokenizer.ggml.${name}_token_id`;
  if (!metadata.has(key)) return undefined;
  const id = metadata.number(key);
  const tokens = metadata.has("tokenizer.ggml.tokens") ? metadata.strings("tokenizer.ggml.tokens").length : undefined;
  // Files say -1, as 32 bits without a sign, where there is none.
  if (id === 2 ** 32 - 1) return undefined;
  if (!Number.isInteger(id) || id < 0 || (tokens !== undefined && id >= tokens)) {
    metadata.fail(key, `is ${id}, which no token has`);
  }
  return id;
}
