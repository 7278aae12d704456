/** Words as GPT-2 splits text into them; later patterns are variations on it. */
const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const marks = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const marksAndSlashes = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const digitsByThree = `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${marks}`;
const singleDigits = `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${marks}`;
const digitsFirst = ["\\p{N}", gpt2];
const bloom = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";
const byCase = (ending: string, digits: string): string =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${ending}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${ending}|${digits}|${marksAndSlashes}`;
const punctuation = "!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~";
const deepseek = `[${punctuation}][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

interface PreTokenizer {
  /** Each splits what the ones before it left together. */
  readonly patterns: readonly string[];
  /** Whether a word that is a token is that token, whatever the merges would make of it. */
  readonly wholeWords?: boolean;
}

/**
 * Patterns by which text is split into words before merges, by the names that `tokenizer.ggml.pre` has for them. The names are
 * llama.cpp's, the patterns those of the models' own tokenizers.
 */
const known: readonly (PreTokenizer & { readonly names: readonly string[] })[] = [
  {
    names: ["default"],
    patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", gpt2, "\\p{N}+", "[0-9][0-9][0-9]"],
  },
  {
    names: ["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
    patterns: [digitsByThree],
    wholeWords: true,
  },
  { names: ["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"], patterns: [digitsByThree] },
  {
    names: ["qwen2", "deepseek-r1-qwen", "kormo", "stablelm2", "megrez", "hunyuan", "solar-open", "grok-2"],
    patterns: [singleDigits],
  },
  {
    names: ["gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "exaone4", "gigachat", "a.x-4.0", "mellum"],
    patterns: [gpt2],
  },
  {
    names: ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
    patterns: digitsFirst,
  },
  { names: ["falcon"], patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", gpt2, "[0-9][0-9][0-9]"] },
  { names: ["bloom", "poro-chat", "gpt3-finnish"], patterns: [bloom] },
  { names: ["viking"], patterns: [bloom, "\\p{N}"] },
  { names: ["tekken"], patterns: [byCase("", "\\p{N}")], wholeWords: true },
  { names: ["gpt-4o", "llama4"], patterns: [byCase(`${contractions}?`, "\\p{N}{1,3}")] },
  {
    names: ["seed-coder"],
    patterns: [
      `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ],
  },
  {
    names: ["deepseek-coder"],
    patterns: ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", "\\p{N}"],
  },
  {
    names: ["deepseek-v3", "hunyuan-dense"],
    patterns: ["\\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", deepseek],
  },
];

/** Every name that is known, those of one kind together. */
export const preTokenizerKinds: readonly (readonly string[])[] = known.map(({ names }) => names);

/** How text is split into words; undefined if the name is not known. */
export function findPreTokenizer(name: string): PreTokenizer | undefined {
  return known.find(({ names }) => names.includes(name));
}
