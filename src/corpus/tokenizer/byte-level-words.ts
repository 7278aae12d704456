import { exactSplits } from "./exact-splits.js";
import { byteLetters, flatten } from "./token-text.js";
import type { TokenizerFile } from "./tokenizer-file.js";
import type { TokenizerLibrary } from "./tokenizer-library.js";

/** Words remembered at most, and the longest: some 10 MB. A text's words recur, those that don't are cheap to lose. */
const maxWords = 2 ** 16;
const maxWordLength = 48;

/**
 * The library's encoding of byte-level BPE tokenizers, several times faster: the ids of each word are remembered, which is
 * exact because such a tokenizer encodes word by word. A text in which added tokens are written out goes to the library.
 * @returns undefined if the tokenizer is of another kind, or a sample comes out otherwise than from the library
 */
export function wordEncoder(
  file: TokenizerFile,
  library: TokenizerLibrary,
  libraryEncode: (text: string) => number[],
): ((text: string) => number[]) | undefined {
  const last = flatten(exactSplits(file).pre_tokenizer).at(-1);
  if (last?.type !== "ByteLevel" || last.use_regex !== false || last.add_prefix_space === true) return undefined;
  const splits = library.pre_tokenizer?.tokenizers?.slice(0, -1) ?? [];
  if (file.model.type !== "BPE" || file.model.fuse_unk === true || splits.length === 0) return undefined;
  const { model, normalizer } = library;
  const split = (text: string): string[] => splits.reduce((words, step) => step.pre_tokenize(words), [text]);
  const normalize = (text: string): string => (normalizer === null ? text : normalizer(text));
  const contents = file.added_tokens.map(({ content }) => content).filter((content) => content !== "");
  const added = [...new Set([...contents, ...contents.map(normalize)])];
  const utf8 = new TextEncoder();
  const idsOfWord = (word: string): number[] => {
    const letters = Array.from(utf8.encode(word), (byte) => byteLetters[byte]).join("");
    return model([letters]).map((token) => model.tokens_to_ids.get(token) ?? model.unk_token_id ?? -1);
  };
  const known = new Map<string, number[]>();

  const encode = (text: string): number[] => {
    const normalized = normalize(text);
    if (added.some((content) => text.includes(content) || normalized.includes(content))) return libraryEncode(text);
    const ids: number[] = [];
    for (const word of split(normalized)) {
      let wordIds = known.get(word);
      if (wordIds === undefined) {
        wordIds = idsOfWord(word);
        if (known.size >= maxWords) known.clear();
        if (word.length <= maxWordLength) known.set(word, wordIds);
      }
      for (const id of wordIds) ids.push(id);
    }
    // The library says what is missing.
    return ids.includes(-1) ? libraryEncode(text) : ids;
  };
  const same = samples.every((text) => `${encode(text)}` === `${libraryEncode(text)}`);
  return same ? encode : undefined;
}

const letters = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code));
const samples = [
  "The quick brown fox can't jump over 1,234.5 lazy dogs;  they'd   rather\n\n\tsleep. WHAT'S \"this\"? (x_1 += y[2]) // #!",
  letters.join(""),
  letters.join(" "),
  "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u3053\u3093\u306b\u3061\u306f \ud55c\uad6d\uc5b4 e\u0301 \u1e9b\u0323 \ufb01 \u0645\u0631\u062d\u0628\u0627 \u{1f600}\u{1f468}\u200d\u{1f469} \u2028 \u3000 \ufeff \u0085 \u200b\r\n \n  end ",
];
