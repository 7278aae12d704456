import { InputError } from "../../../errors.js";
import type { ByteSource, Folder } from "../../../tensor/byte-source.js";
import { readJson, readText } from "./read-json.js";
import type { TokenizerFile } from "./tokenizer-file.js";
import { byteLevelBpe, readMerges } from "./tokenizer-file.js";

/** The words of Qwen's tokenizers. */
const qwenWords =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** What a class of transformers makes of vocab.json and merges.txt. */
interface Recipe {
  steps(addPrefixSpace: boolean): Pick<TokenizerFile, "normalizer" | "pre_tokenizer">;
  /** Roles of tokens where tokenizer_config.json names none. */
  readonly roles: Record<string, string>;
}

const gpt2: Recipe = {
  steps: (add_prefix_space) => ({ pre_tokenizer: { type: "ByteLevel", add_prefix_space, use_regex: true } }),
  roles: { unk_token: "<|endoftext|>", bos_token: "<|endoftext|>", eos_token: "<|endoftext|>" },
};

const qwen2: Recipe = {
  steps: (add_prefix_space) => ({
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: qwenWords }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space, use_regex: false },
      ],
    },
  }),
  roles: { unk_token: "<|endoftext|>", eos_token: "<|endoftext|>", pad_token: "<|endoftext|>" },
};

const neox: Recipe = {
  steps: (add_prefix_space) => ({
    normalizer: { type: "NFC" },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space, use_regex: true },
  }),
  roles: { ...gpt2.roles, pad_token: "<|padding|>" },
};

const recipes = new Map([
  ["GPT2Tokenizer", gpt2],
  ["CodeGenTokenizer", gpt2],
  ["Qwen2Tokenizer", qwen2],
  ["GPTNeoXTokenizer", neox],
]);

/** Families whose tokenizer is of another class than GPT-2's, where tokenizer_config.json names none. */
const classOfFamily = new Map([
  ["qwen2", "Qwen2Tokenizer"],
  ["qwen2_moe", "Qwen2Tokenizer"],
  ["qwen3", "Qwen2Tokenizer"],
  ["qwen3_moe", "Qwen2Tokenizer"],
  ["gpt_neox", "GPTNeoXTokenizer"],
]);

/** A tokenizer of vocab.json and merges.txt alone, and the roles of tokens that nothing else names. */
export interface VocabularyFiles {
  readonly name: string;
  readonly file: TokenizerFile;
  readonly roles: Record<string, string>;
}

/**
 * Makes of vocab.json and merges.txt what transformers does with them.
 * @param config of tokenizer_config.json  @param family `model_type` of config.json
 * @returns undefined if they are not there
 * @throws InputError if they cannot be used, or are of a class whose other parts lie in its code
 */
export async function readVocabularyFiles(
  folder: Folder,
  config: Readonly<Record<string, unknown>>,
  family: unknown,
): Promise<VocabularyFiles | undefined> {
  const vocab = await folder.open("vocab.json");
  const merges = await folder.open("merges.txt");
  if (vocab === undefined || merges === undefined) return undefined;
  const named = typeof config.tokenizer_class === "string" ? config.tokenizer_class.replace(/Fast$/, "") : undefined;
  const generic = named === undefined || named === "PreTrainedTokenizer" || named === "TokenizersBackend";
  const known = generic ? (classOfFamily.get(`${family}`) ?? "GPT2Tokenizer") : named;
  const recipe = recipes.get(known);
  if (recipe === undefined) {
    throw new InputError(
      vocab.name,
      `is of a ${known}, whose words are cut by transformers' own code: ` +
        "write tokenizer.json with AutoTokenizer.from_pretrained(...).save_pretrained(...)",
    );
  }
  const steps = recipe.steps(config.add_prefix_space === true);
  const model = byteLevelBpe(vocab, await readJson(vocab), mergeLines(merges, await readText(merges)));
  return {
    name: vocab.name,
    file: { ...steps, decoder: { type: "ByteLevel" }, added_tokens: [], model },
    roles: recipe.roles,
  };
}

function mergeLines(source: ByteSource, text: string): [string, string][] {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  return readMerges(source.name, lines);
}
