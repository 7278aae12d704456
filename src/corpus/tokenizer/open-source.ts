import { InputError } from "../../errors.js";
import type { ByteSource, Folder } from "../../tensor/byte-source.js";
import { createEncoder, type Encoder, type EncoderParts, partsOf } from "./encoder.js";
import { type Companions, readCompanions } from "./files/companions.js";
import { readObject } from "./files/read-json.js";
import { readSentencePiece } from "./files/sentencepiece-file.js";
import { inFile, readTokenizerFile, type TokenizerFile } from "./files/tokenizer-file.js";
import { readVocabularyFiles } from "./files/vocabulary-files.js";
import { sentencePieceParts } from "./sentencepiece.js";
import { createDecoder } from "./steps/decoders.js";
import { firstTokens } from "./steps/first-tokens.js";
import type { Normalizer } from "./steps/normalizers.js";
import type { PreTokenizer } from "./steps/pre-tokenizers.js";
import { hasLongTokens, hasPatterns, type Timed, timeLimit } from "./time-limit.js";
import { type ShownParts, tokenTextOf } from "./token-text.js";

/** A tokenizer as its files describe it. */
export interface TokenizerSource {
  /** The file that it is read from, for messages. */
  readonly name: string;
  readonly encoder: Encoder;
  /** The text that an entry of the vocabulary stands for. */
  tokenText(entry: string): string;
  readonly companions: Companions;
  /** Ids that the post-processor of tokenizer.json puts before a text; undefined if there is no tokenizer.json. */
  readonly first: readonly number[] | undefined;
  /** Runs a step of it on a text; ended if it takes too long. */
  readonly timed: Timed;
  /** Whether it puts a begin-of-text token first where nothing else says so. */
  readonly begins: boolean;
}

/** Files of which one makes a tokenizer, with what each needs beside it. */
export const tokenizerSources = [["tokenizer.json"], ["vocab.json", "merges.txt"], ["tokenizer.model"]];

/** Whether a folder has a tokenizer. */
export async function hasTokenizer(folder: Folder): Promise<boolean> {
  for (const names of tokenizerSources) {
    const files = await Promise.all(names.map((name) => folder.open(name)));
    if (files.every((file) => file !== undefined)) return true;
  }
  return false;
}

/**
 * Reads a tokenizer from tokenizer.json, or vocab.json and merges.txt, or SentencePiece's tokenizer.model, with the tokens that
 * the files beside it add.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function openTokenizerSource(folder: Folder): Promise<TokenizerSource> {
  const source = await readSource(folder);
  if (!hasLongTokens(source.encoder.tokens.values())) return source;
  return { ...source, timed: timeLimit(source.name, folder.endedAfter) };
}

async function readSource(folder: Folder): Promise<TokenizerSource> {
  const json = await folder.open("tokenizer.json");
  if (json !== undefined) {
    const companions = await readCompanions(folder);
    const file = withPrefixSpace(await readTokenizerFile(json), companions);
    const timed = inFile(json.name, () => timeLimit(json.name, hasPatterns(file) ? folder.endedAfter : undefined));
    return inFile(json.name, () => ({
      ...timed(0, () => described(json.name, file, companions)),
      first: firstTokens(file.post_processor),
      timed,
    }));
  }
  const config = await readObject(folder, "tokenizer_config.json");
  const family = (await readObject(folder, "config.json")).model_type;
  const vocabulary = await readVocabularyFiles(folder, config, family);
  if (vocabulary !== undefined) {
    return described(vocabulary.name, vocabulary.file, await readCompanions(folder, vocabulary.roles));
  }
  const model = await folder.open("tokenizer.model");
  if (model !== undefined) return sentencePiece(folder, model);
  throw new InputError(
    folder.name,
    "tokenizer.json is missing (or vocab.json and merges.txt, or tokenizer.model): text cannot be tokenised",
  );
}

/** Classes of transformers that make the byte-level step anew, by `add_prefix_space` of tokenizer_config.json. */
const makesPrefix = /^(?:GPT2|CodeGen|Roberta|Bart|LED|Longformer|Deberta|Blenderbot)Tokenizer(?:Fast)?$/;

function withPrefixSpace(
  file: TokenizerFile,
  { config: { tokenizer_class, add_prefix_space } }: Companions,
): TokenizerFile {
  if (typeof add_prefix_space !== "boolean" || !makesPrefix.test(`${tokenizer_class}`)) return file;
  return file.pre_tokenizer?.type === "ByteLevel"
    ? { ...file, pre_tokenizer: { ...file.pre_tokenizer, add_prefix_space } }
    : file;
}

function described(name: string, file: TokenizerFile, companions: Companions): TokenizerSource {
  return inFile(name, () => ({
    ...made(name, partsOf(file), companions, file),
    first: undefined,
    begins: false,
    timed: withoutLimit,
  }));
}

function made(name: string, parts: EncoderParts, companions: Companions, shown: ShownParts) {
  const added = [...parts.added, ...companions.addedTo(parts.added)];
  return { name, encoder: createEncoder({ ...parts, added }), tokenText: tokenTextOf(shown), companions };
}

async function sentencePiece(folder: Folder, source: ByteSource): Promise<TokenizerSource> {
  const file = await readSentencePiece(source);
  const companions = await readCompanions(folder, file.roles);
  return inFile(source.name, () => {
    const { prepare, model, added, decoder } = sentencePieceParts(file);
    const preTokenizer: PreTokenizer = {
      spell: undefined,
      split: ({ pieces, begins }) => ({
        pieces: pieces.map((piece, index) => prepare(piece, (begins[index] ?? 0) > 0)).filter((piece) => piece !== ""),
        begins: [],
      }),
    };
    const normalize: Normalizer = (text) => ({ text, begin: text.length });
    const parts = { normalize, preTokenizer, model, decode: createDecoder(decoder), added };
    const shown = { decoder, model: { byte_fallback: file.byteFallback } };
    // transformers' own classes for these files put it first unless they are told not to.
    const begins =
      beginsTexts.test(`${companions.model.model_type}`) || beginsTexts.test(`${companions.config.tokenizer_class}`);
    return { ...made(source.name, parts, companions, shown), first: undefined, begins, timed: withoutLimit };
  });
}

/** For steps that are all written here, and tokens of some length. */
const withoutLimit: Timed = (_, work) => work();

/** Families whose SentencePiece tokenizers put a begin-of-text token first. */
const beginsTexts = /^(?:llama|code_?llama|mistral|mixtral|gemma)/i;
