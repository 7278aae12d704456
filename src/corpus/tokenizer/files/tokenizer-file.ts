import * as z from "zod";
import { InputError } from "../../../errors.js";
import type { ByteSource } from "../../../tensor/byte-source.js";
import { Refusal } from "../refusal.js";
import type { Step } from "../steps/step.js";
import { type AddedToken, addedTokenFields, withDefaults } from "./added-token.js";
import { readJson } from "./read-json.js";

const id = z.int().min(0);

const addedToken = addedTokenFields.extend({ id });

const step = z.looseObject({ type: z.string() });
const part = step.nullish();

const tokenizerFile = z.object({
  normalizer: part,
  pre_tokenizer: part,
  post_processor: part,
  decoder: part,
  added_tokens: z
    .array(addedToken)
    .nullish()
    .transform((tokens) => tokens ?? []),
  model: z.object({
    type: z.string().optional(),
    // Checked below: a schema would copy hundreds of thousands of entries.
    vocab: z.unknown().optional(),
    merges: z.unknown().optional(),
    unk_token: z.string().nullish(),
    unk_id: id.nullish(),
    dropout: z.number().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    fuse_unk: z.boolean().nullish(),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
    max_input_chars_per_word: id.nullish(),
  }),
});

type Shape = z.infer<typeof tokenizerFile>;
type ModelFields = Omit<Shape["model"], "type" | "vocab" | "merges">;

/** A model with a plain list of tokens and ids. */
export type VocabularyModel = ModelFields & { type: "WordPiece" | "WordLevel"; vocab: ReadonlyMap<string, number> };

export type BpeModel = ModelFields & {
  type: "BPE";
  vocab: ReadonlyMap<string, number>;
  merges: readonly (readonly [string, string])[];
};

export type UnigramModel = ModelFields & { type: "Unigram"; vocab: readonly (readonly [string, number])[] };

/** A tokenizer.json whose shape has been checked, as far as it is read; its steps are checked as they are made. */
export interface TokenizerFile {
  normalizer?: Step | null | undefined;
  pre_tokenizer?: Step | null | undefined;
  post_processor?: Step | null | undefined;
  decoder?: Step | null | undefined;
  added_tokens: readonly AddedToken[];
  model: VocabularyModel | BpeModel | UnigramModel;
}

/** Reads and checks a tokenizer.json. @throws InputError naming the file and the field */
export async function readTokenizerFile(source: ByteSource): Promise<TokenizerFile> {
  const json = await readJson(source);
  const result = parse(source, json);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const place = path.length === 0 ? "the whole" : `field "${path.join(".")}"`;
    throw new InputError(source.name, `${place} cannot be used: ${message}`);
  }
  return inFile(source.name, () => ({
    ...result.data,
    added_tokens: result.data.added_tokens.map(({ id, ...token }, index) => {
      checkId(token.content, id, source.size, `added_tokens.${index}`);
      return withDefaults(token);
    }),
    model: checkedModel(result.data.model, source.size),
  }));
}

/** Runs what reads a file, and says of a refusal which file it is. */
export function inFile<Result>(name: string, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof Refusal) throw new InputError(name, error.message, { cause: error });
    // A pattern too large, a text too long: what a file asks for may fail in any way.
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
    throw new InputError(name, `cannot be used: ${reason}`, { cause: error });
  }
}

function parse(source: ByteSource, json: unknown): z.ZodSafeParseResult<Shape> {
  try {
    return tokenizerFile.safeParse(json);
  } catch (error) {
    throw new InputError(source.name, "is nested too deep to be used", { cause: error });
  }
}

const modelTypes = ["BPE", "Unigram", "WordPiece", "WordLevel"] as const;

/** @param size of the file: a real one has several bytes for each id */
function checkedModel(model: Shape["model"], size: number): TokenizerFile["model"] {
  const { type: named, vocab, merges, ...fields } = model;
  const type = named === undefined ? impliedType(model) : modelTypes.find((type) => type === named);
  if (type === undefined) {
    const known = modelTypes.join(", ");
    throw new Refusal("model.type", `is ${JSON.stringify(named!.slice(0, 40))}; known: ${known}`);
  }
  if (type === "Unigram") return { ...fields, type, vocab: scoredVocabulary(vocab, fields.unk_id ?? undefined) };
  const known = plainVocabulary(vocab, size);
  return type === "BPE"
    ? { ...fields, type, vocab: known, merges: mergePairs(merges) }
    : { ...fields, type, vocab: known };
}

/** Files of before 2021 leave the type out. */
function impliedType(model: Shape["model"]): TokenizerFile["model"]["type"] {
  if (Array.isArray(model.vocab)) return "Unigram";
  if (model.merges !== undefined) return "BPE";
  return model.continuing_subword_prefix === undefined ? "WordLevel" : "WordPiece";
}

function plainVocabulary(vocab: unknown, size: number): Map<string, number> {
  if (Array.isArray(vocab)) throw new Refusal("model.vocab", "is a list; tokens with their ids are wanted");
  const known = new Map<string, number>();
  if (typeof vocab === "object" && vocab !== null) {
    for (const [token, id] of Object.entries(vocab)) {
      checkId(token, id, size, "model.vocab");
      known.set(token, id);
    }
  }
  if (known.size === 0) throw new Refusal("model.vocab", "is missing or empty");
  return known;
}

function checkId(token: string, id: unknown, size: number, field: string): asserts id is number {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) <= size) return;
  const shown = typeof id === "number" ? `the id ${id}` : "no number for an id";
  throw new Refusal(
    field,
    `gives ${JSON.stringify(token.slice(0, 40))} ${shown}: whole numbers from 0 on are wanted, no more than the file has bytes`,
  );
}

function scoredVocabulary(vocab: unknown, unknown: number | undefined): readonly (readonly [string, number])[] {
  if (!Array.isArray(vocab) || vocab.length === 0) {
    throw new Refusal("model.vocab", "is missing or empty: a list of tokens with their scores is wanted");
  }
  for (const [index, entry] of vocab.entries()) {
    const [token, score] = Array.isArray(entry) ? entry : [];
    if (typeof token !== "string" || typeof score !== "number") {
      throw new Refusal(`model.vocab.${index}`, "is not a token and its score");
    }
  }
  if (unknown !== undefined && unknown >= vocab.length) {
    throw new Refusal("model.unk_id", `is ${unknown}; the vocabulary has ${vocab.length} tokens`);
  }
  return vocab;
}

function mergePairs(merges: unknown): [string, string][] {
  const pairs = Array.isArray(merges) ? merges.filter((merge) => !isVersion(merge)).map(mergePair) : [undefined];
  if (pairs.includes(undefined)) throw new Refusal("model.merges", "is not a list of pairs of tokens");
  return pairs as [string, string][];
}

const isVersion = (merge: unknown): boolean => typeof merge === "string" && merge.startsWith("#version");

/** The pairs of merges.txt. @throws InputError naming the file */
export function readMerges(name: string, lines: readonly string[]): [string, string][] {
  try {
    return mergePairs(lines);
  } catch (error) {
    throw new InputError(name, "has a line that is not two tokens with a space between", { cause: error });
  }
}

/** The model of vocab.json and merges.txt. @throws InputError naming the file that cannot be used */
export function byteLevelBpe(source: ByteSource, vocab: unknown, merges: readonly [string, string][]): BpeModel {
  return inFile(source.name, () => ({ type: "BPE", vocab: plainVocabulary(vocab, source.size), merges }));
}

/** A merge as it is written today, `["a", "b"]`, or before, `"a b"`. */
function mergePair(merge: unknown): [string, string] | undefined {
  const pair: unknown[] = typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  return pair.length === 2 && pair.every((token) => typeof token === "string") ? (pair as [string, string]) : undefined;
}
