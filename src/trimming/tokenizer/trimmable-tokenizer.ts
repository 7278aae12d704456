import { readJson } from "../../corpus/tokenizer/files/read-json.js";
import { readTokenizerFile, type TokenizerFile } from "../../corpus/tokenizer/files/tokenizer-file.js";
import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { bpeRules } from "./bpe-rules.js";
import { postProcessorIds, withPostProcessorIds } from "./post-processor.js";
import { unigramRules } from "./unigram-rules.js";
import type { BytePieces, TokenizerModel, VocabularyRules } from "./vocabulary-rules.js";
import { wordLevelRules, wordPieceRules } from "./word-rules.js";

type Json = Record<string, unknown>;

/** A tokenizer.json that tokens can be taken out of. */
export interface TrimmableTokenizer {
  /** What the kind of tokenizer asks for. */
  readonly rules: VocabularyRules;
  /** Every token by id, added ones included. */
  readonly tokens: ReadonlyMap<number, string>;
  /** Ids that the file itself refers to: added tokens, the post-processor's, the padding's. */
  readonly referenced: ReadonlySet<number>;
  /** tokenizer.json with the tokens that stay. @param newIds by old id, ascending in both */
  trimmed(newIds: ReadonlyMap<number, number>): string;
}

/**
 * Reads a tokenizer.json as something to cut.
 * @throws InputError naming the field, if it cannot be read or is of a kind that cannot be cut
 */
export async function readTrimmableTokenizer(source: ByteSource): Promise<TrimmableTokenizer> {
  const { model: checked } = await readTokenizerFile(source);
  const file = (await readJson(source)) as Json;
  const added = (file.added_tokens ?? []) as readonly (Json & { readonly id: number; readonly content: string })[];
  const tokens = new Map([
    ...(checked.type === "Unigram" ? checked.vocab.map(([piece], id) => [id, piece] as const) : []),
    ...(checked.type === "Unigram" ? [] : Array.from(checked.vocab, ([token, id]) => [id, token] as const)),
    ...added.map(({ id, content }) => [id, content] as const),
  ]);
  const rules = rulesOf(source.name, file, checked.type);
  const padding = file.padding as { readonly pad_id?: unknown } | null | undefined;
  const referenced = new Set([...added.map(({ id }) => id), ...postProcessorIds(source.name, file.post_processor)]);
  if (typeof padding?.pad_id === "number" && tokens.has(padding.pad_id)) referenced.add(padding.pad_id);
  return {
    rules,
    tokens,
    referenced,
    trimmed(newIds) {
      const idOf = (id: number) => newIds.get(id) ?? id;
      const cut: Json = { ...file, model: rules.trimmed(newIds) };
      if (file.added_tokens) cut.added_tokens = added.map((token) => ({ ...token, id: idOf(token.id) }));
      if (file.post_processor) cut.post_processor = withPostProcessorIds(file.post_processor as Json, idOf);
      if (typeof padding?.pad_id === "number") cut.padding = { ...padding, pad_id: idOf(padding.pad_id) };
      checkAddedAfter(source.name, cut);
      return `${JSON.stringify(cut, undefined, 2)}\n`;
    },
  };
}

/** @param type as it was read: files of before 2021 leave it out */
function rulesOf(place: string, file: Json, type: TokenizerFile["model"]["type"]): VocabularyRules {
  const model = file.model as TokenizerModel;
  const bytes: BytePieces = {
    alphabet: hasStep(file, "ByteLevel", ["pre_tokenizer", "normalizer"]) && hasStep(file, "ByteLevel", ["decoder"]),
    // Without this decoder, text would come back with "<0xE2>" in it.
    fallback: model.byte_fallback === true && hasStep(file, "ByteFallback", ["decoder"]),
  };
  if (type === "BPE") return bpeRules(place, model, bytes);
  if (type === "Unigram") return unigramRules(model, bytes);
  return type === "WordPiece" ? wordPieceRules(place, model) : wordLevelRules(place, model);
}

/** Whether one of the parts is such a step, or has it in a sequence. */
function hasStep(file: Json, type: string, parts: readonly string[]): boolean {
  return parts.flatMap((part) => flattened(file[part])).some((step) => step.type === type);
}

function flattened(step: unknown): Json[] {
  if (typeof step !== "object" || step === null) return [];
  const inside = ["pretokenizers", "normalizers", "decoders"].flatMap((list) => {
    const steps = (step as Json)[list];
    return Array.isArray(steps) ? steps.flatMap(flattened) : [];
  });
  return [step as Json, ...inside];
}

/** The Rust library numbers tokens that are only added after those of the vocabulary, whatever the file says. */
function checkAddedAfter(place: string, { model, added_tokens }: Json): void {
  const { vocab } = model as TokenizerModel;
  const entries = Array.isArray(vocab) ? vocab.map(([piece]) => piece as string) : Object.keys(vocab as object);
  const inVocabulary = new Set(entries);
  let next = entries.length;
  for (const { id, content } of (added_tokens ?? []) as readonly { id: number; content: string }[]) {
    if (inVocabulary.has(content)) continue;
    if (id !== next++) {
      const problem = `holds ${JSON.stringify(content)}, which is not numbered after the vocabulary`;
      throw new InputError(place, `field "added_tokens" ${problem}: such a file cannot be trimmed`);
    }
  }
}
