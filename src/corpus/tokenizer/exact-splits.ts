import { flatten } from "./token-text.js";
import type { TokenizerFile, TokenizerStep } from "./tokenizer-file.js";

/** GPT-2's words. */
const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
/** Unicode's punctuation and what else ASCII has of it. */
const punctuation = "[\\p{P}\\u0021-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u007E]";

/** \w of Rust's regular expressions. */
const wordCharacters = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200C\\u200D";

/**
 * The same tokenizer with its pre-tokenizers written out as Splits, where @huggingface/tokenizers has them in JavaScript's
 * terms, which differ from the Rust tokenizers' (which wrote the file): \s with U+FEFF and without U+0085, \w and \d in ASCII
 * only, punctuation always in runs. Its Split translates patterns faithfully.
 */
export function exactSplits(file: TokenizerFile): TokenizerFile {
  const steps = flatten(file.pre_tokenizer).flatMap(exactSplit);
  return { ...file, pre_tokenizer: steps.length === 0 ? null : { type: "Sequence", pretokenizers: steps } };
}

function exactSplit(step: TokenizerStep): TokenizerStep[] {
  switch (step.type) {
    case "ByteLevel":
      // With a prefix the words can't be split off: they are found after it.
      if (step.use_regex === false || step.add_prefix_space === true) return [step];
      return [isolate(gpt2Words), { ...step, use_regex: false }];
    case "Digits":
      return [isolate(step.individual_digits === true ? "\\p{N}" : "\\p{N}+")];
    case "Punctuation":
      if (step.behavior === "Contiguous") return [isolate(`${punctuation}+`)];
      return step.behavior === undefined || step.behavior === "Isolated" ? [isolate(punctuation)] : [step];
    case "Whitespace":
      return [keep(`[${wordCharacters}]+|[^${wordCharacters}\\s]+`)];
    case "BertPreTokenizer":
      return [keep("\\S+"), isolate(punctuation)];
    case "WhitespaceSplit":
      return [keep("\\S+")];
    default:
      return [step];
  }
}

/** Every match is a word, and what is between matches. */
function isolate(pattern: string): TokenizerStep {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/** Every match is a word, and what is between matches is dropped. */
function keep(pattern: string): TokenizerStep {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Removed", invert: true };
}
