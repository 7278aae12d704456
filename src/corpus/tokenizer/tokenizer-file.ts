import * as z from "zod";
import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";

/** The largest tokenizer.json in use are 40 MB; a bound on what is parsed. */
const maxTokenizerBytes = 512 * 2 ** 20;

// Without a pattern the library would warn and go on.
const pattern = z.union([z.looseObject({ String: z.string() }), z.looseObject({ Regex: z.string() })]);
const step: z.ZodType<TokenizerStep> = z.lazy(() =>
  z
    .looseObject({
      type: z.string(),
      normalizers: z.array(step).optional(),
      pretokenizers: z.array(step).optional(),
      decoders: z.array(step).optional(),
    })
    .refine(({ type, pattern: given }) => !["Split", "Replace"].includes(type) || pattern.safeParse(given).success, {
      path: ["pattern"],
      error: "neither a String nor a Regex",
    }),
);
const part = step.nullish();
const id = z.int().min(0);

const tokenizerFile = z.looseObject({
  normalizer: part,
  pre_tokenizer: part,
  decoder: part,
  added_tokens: z
    .array(z.looseObject({ id, content: z.string(), special: z.boolean().optional() }))
    .nullish()
    .transform((tokens) => tokens ?? []),
  model: z.looseObject({
    type: z.string().optional(),
    // Checked below: a schema would copy hundreds of thousands of entries.
    vocab: z.unknown().optional(),
    merges: z.unknown().optional(),
    unk_token: z.string().nullish(),
    unk_id: id.nullish(),
  }),
});

const modelTypes = ["BPE", "Unigram", "WordPiece", "WordLevel"];

/** A tokenizer.json whose shape has been checked, as far as it is read. */
export type TokenizerFile = z.infer<typeof tokenizerFile>;

/** One of the steps (normalizer, pre-tokenizer, decoder) of a tokenizer.json. */
export type TokenizerStep = { type: string; [field: string]: unknown };

/**
 * Reads and checks a tokenizer.json.
 * @returns the file and the token of every id that its vocabulary has (added tokens included)
 * @throws InputError naming the file and the field
 */
export async function readTokenizerFile(
  source: ByteSource,
): Promise<{ file: TokenizerFile; tokens: Map<number, string> }> {
  const result = parse(source, await readJson(source));
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    const place = path.length === 0 ? "the whole" : `field "${path.join(".")}"`;
    throw new InputError(source.name, `${place} cannot be used: ${message}`);
  }
  const file = result.data;
  checkModel(source, file);
  return { file, tokens: readVocabulary(source, file) };
}

function parse(source: ByteSource, json: unknown): z.ZodSafeParseResult<TokenizerFile> {
  try {
    return tokenizerFile.safeParse(json);
  } catch (error) {
    // The stack is full: steps inside steps without end.
    throw new InputError(source.name, "is nested too deep to be used", { cause: error });
  }
}

/** The JSON of a file. @throws InputError */
export async function readJson(source: ByteSource): Promise<unknown> {
  if (source.size > maxTokenizerBytes) {
    throw new InputError(source.name, `is ${source.size} bytes; more than ${maxTokenizerBytes} are not read`);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await source.read(0, source.size)));
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
    throw new InputError(source.name, `is not JSON: ${reason}`, { cause: error });
  }
}

function checkModel({ name }: ByteSource, { model }: TokenizerFile): void {
  // Files of before 2021 leave the type out; the library tells it from the fields.
  if (model.type !== undefined && !modelTypes.includes(model.type)) {
    throw new InputError(
      name,
      `field "model.type" is ${JSON.stringify(model.type.slice(0, 40))}; known: ${modelTypes.join(", ")}`,
    );
  }
  const { merges } = model;
  if (merges === undefined && model.type !== "BPE") return;
  if (!Array.isArray(merges) || !merges.every(isMerge)) {
    throw new InputError(name, `field "model.merges" is not a list of pairs of tokens`);
  }
}

function isMerge(merge: unknown): boolean {
  if (typeof merge === "string") return merge.includes(" ");
  return Array.isArray(merge) && merge.length === 2 && merge.every((token) => typeof token === "string");
}

function readVocabulary({ name, size }: ByteSource, { model, added_tokens }: TokenizerFile): Map<number, string> {
  const tokens = new Map<number, string>();
  const add = (token: unknown, id: unknown, field: string): void => {
    // The library keeps a list as long as the largest id; a real file has several bytes for each.
    if (typeof token !== "string" || !Number.isInteger(id) || (id as number) < 0 || (id as number) > size) {
      throw new InputError(name, `field "${field}" holds ${show([token, id])}, which is not a token and its id`);
    }
    tokens.set(id as number, token);
  };
  const { vocab } = model;
  if (Array.isArray(vocab)) {
    vocab.forEach((entry: unknown, id) => {
      const [token, score] = Array.isArray(entry) ? entry : [];
      if (typeof score !== "number")
        throw new InputError(name, `field "model.vocab.${id}" is not a token and its score`);
      add(token, id, `model.vocab.${id}`);
    });
    if (typeof model.unk_id === "number" && model.unk_id >= vocab.length) {
      throw new InputError(name, `field "model.unk_id" is ${model.unk_id}; the vocabulary has ${vocab.length} tokens`);
    }
  } else if (typeof vocab === "object" && vocab !== null) {
    for (const [token, id] of Object.entries(vocab)) add(token, id, "model.vocab");
  }
  if (tokens.size === 0) throw new InputError(name, `field "model.vocab" is missing or empty`);
  added_tokens.forEach(({ content, id }, index) => {
    add(content, id, `added_tokens.${index}`);
  });
  return tokens;
}

function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 80);
}
