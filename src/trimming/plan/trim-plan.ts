import * as z from "zod";
import type { Corpus } from "../../corpus/corpus.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { InputError } from "../../errors.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { requireOneStage } from "../../model/head/one-stage.js";
import { vocabularyHash } from "../../model/head/vocabulary-hash.js";
import { type SelectorOptions, selectTokens } from "../../steering/plan/token-selector.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { parseStrictJson } from "../../tensor/strict-json.js";
import { referencedIds } from "../tokenizer/referenced-ids.js";
import { readTrimmableTokenizer, type TrimmableTokenizer } from "../tokenizer/trimmable-tokenizer.js";
import { type KeptCounts, type KeptTokens, keptByUse, keptSet, type RankedAmount } from "./kept-tokens.js";
import type { TokenUsage } from "./token-usage.js";

/** Rows are padded to a multiple of this at most. */
const largestPadding = 2 ** 16;

const planSchema = z.strictObject({
  schema: z.literal("unembed-trim-plan"),
  schemaVersion: z.literal(1),
  /** Rows of E before. */
  vocabSize: z.number().int().positive(),
  /** V of the tokenizer, and SHA-256 (hex) over its entries. */
  vocabulary: z.strictObject({ size: z.number().int(), sha256: z.string() }),
  /** Ids that stay, as ranges from the first to the last id, ascending. */
  kept: z.array(z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()])).min(1),
  /**
   * Rows are added until their number is a multiple of `to`. A row of zeros would have the logit 0, more than most tokens': they
   * are copies of the row of a token that is hardly ever likely, `like`.
   */
  padding: z.strictObject({ to: z.number().int().positive().max(largestPadding), like: z.number().int() }).optional(),
});

/** Which tokens stay: for any model of the same vocabulary. */
export interface TrimPlan extends Omit<z.infer<typeof planSchema>, "kept"> {
  /** Ids that stay, ascending. */
  kept: Int32Array;
  /** Why they stay, where the plan was made here. */
  counts?: KeptCounts | undefined;
  /** What a person might not expect of the choice. */
  notes?: readonly string[] | undefined;
}

/** What stays. */
export type TrimAmount =
  | RankedAmount
  /** The tokens of a text. */
  | { readonly keepText: Corpus }
  /** All but those of the selectors (see selectTokens). */
  | { readonly drop: readonly string[] }
  /** Those of the selectors; a list is `@file:PATH`. */
  | { readonly keep: readonly string[] };

/** How a plan is made. */
export interface PlanTrimOptions extends Omit<SelectorOptions, "place" | "onNote"> {
  readonly padTo?: number | undefined;
  /** What a text has of each token; needed by `maxVocab`, `keepMass` and `padTo`. */
  readonly usage?: TokenUsage | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Chooses the tokens of a model that stay. Special and added tokens, all bytes, whatever the model's configs name, and what kept
 * tokens are merged from always do.
 *
 *     const usage = await measureUsage(model, corpus("wiki/*.txt"));
 *     const plan = await planTrim(model, { maxVocab: 16_000 }, { usage });
 *
 * @throws InputError if nothing would go or hardly anything stay, a selector stands for no token, or the tokenizer is of a kind
 * that cannot be trimmed
 */
export async function planTrim(model: HeadModel, amount: TrimAmount, options: PlanTrimOptions = {}): Promise<TrimPlan> {
  const { padTo } = options;
  if (padTo !== undefined && !(Number.isInteger(padTo) && padTo > 0 && padTo <= largestPadding)) {
    throw new InputError("padTo", `is ${padTo}; a whole number from 1 to ${largestPadding} is wanted`);
  }
  const trimmable = await trimmableTokenizer(model);
  const named = await referencedIds(model.folder, model.vocabSize);
  const { ids, counts, notes } = await chosen(model, { trimmable, named }, amount, options);
  const tokenizer = await model.tokenizer();
  const plan: TrimPlan = {
    schema: "unembed-trim-plan",
    schemaVersion: 1,
    vocabSize: model.vocabSize,
    vocabulary: { size: tokenizer.vocabSize, sha256: await vocabularyHash(tokenizer) },
    kept: ids,
    ...(padTo === undefined ? {} : { padding: { to: padTo, like: rarest(ids, used(options)) } }),
    counts,
    notes,
  };
  checkKept(model, plan);
  return plan;
}

/** The model's tokenizer.json as something to cut. @throws InputError if there is none, or of a kind that cannot be cut */
export async function trimmableTokenizer(model: HeadModel): Promise<TrimmableTokenizer> {
  const { folder, vocabSize } = model;
  requireOneStage(model, "trimmed");
  const source = await folder.open("tokenizer.json");
  if (source === undefined)
    throw new InputError(folder.name, "tokenizer.json is missing: it has to be trimmed with the model");
  // Refuses a file whose steps are none.
  const tokenizer = await model.tokenizer();
  const trimmable = await readTrimmableTokenizer(source);
  for (const id of trimmable.tokens.keys()) {
    if (id >= vocabSize) throw new InputError(source.name, `has a token of id ${id}; the model has ${vocabSize} rows`);
  }
  // Files beside tokenizer.json may add tokens to it, after its own.
  const others = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
    (id) => tokenizer.produces(id) && !trimmable.tokens.has(id),
  );
  const tokens = new Map([...trimmable.tokens, ...others.map((id) => [id, tokenizer.entry(id)!] as const)]);
  return { ...trimmable, tokens, referenced: new Set([...trimmable.referenced, ...others]) };
}

interface Choice extends KeptTokens {
  readonly notes: readonly string[];
}

async function chosen(
  model: HeadModel,
  { trimmable, named }: { trimmable: TrimmableTokenizer; named: readonly number[] },
  amount: TrimAmount,
  options: PlanTrimOptions,
): Promise<Choice> {
  const notes: string[] = [];
  if ("maxVocab" in amount || "keepMass" in amount) {
    return { ...keptByUse(trimmable, named, used(options), amount), notes };
  }
  const tokenizer = await model.tokenizer();
  const select = async (selectors: readonly string[]) => {
    const found = new Set<number>();
    for (const selector of selectors) {
      const onNote = (note: string) => notes.push(note);
      for (const id of await selectTokens(selector, tokenizer, { ...options, onNote })) found.add(id);
    }
    return found;
  };
  if ("keepText" in amount) {
    const inText = new Set<number>();
    const { vocabSize } = model;
    for await (const part of tokenIds(amount.keepText, tokenizer, { vocabSize, separator: null })) {
      options.signal?.throwIfAborted();
      for (let i = 0; i < part.length; i++) inText.add(part[i]!);
    }
    if (inText.size === 0) throw new InputError("keepText", "has no token: nothing would be left");
    return { ...keptSet(trimmable, named, inText), notes };
  }
  if ("keep" in amount) return { ...keptSet(trimmable, named, await select(amount.keep)), notes };
  const dropped = await select(amount.drop);
  const kept = keptSet(
    trimmable,
    named,
    [...trimmable.tokens.keys()].filter((id) => !dropped.has(id)),
  );
  const back = kept.ids.filter((id) => dropped.has(id)).length;
  if (back > 0) {
    notes.push(
      `${back} of the ${dropped.size} tokens to drop stay: tokens that are kept are merged from them, or they always stay`,
    );
  }
  return { ...kept, notes };
}

function used({ usage }: PlanTrimOptions): TokenUsage {
  if (usage !== undefined) return usage;
  throw new InputError("usage", "is missing: tokens are ranked by what a text has of them");
}

function rarest(ids: Int32Array, { meanProbability }: TokenUsage): number {
  return ids.reduce((least, id) => (meanProbability[id]! < meanProbability[least]! ? id : least));
}

/** V' of a plan, padding included. */
export function rowsAfter({ kept, padding: { to } = { to: 1, like: 0 } }: TrimPlan): number {
  return Math.ceil(kept.length / to) * to;
}

function checkKept({ name, hiddenSize, vocabSize }: HeadModel, { kept }: TrimPlan): void {
  const least = hiddenSize + 2;
  if (kept.length < least) {
    throw new InputError(
      name,
      `would keep ${kept.length} of ${vocabSize} tokens; at least d + 2 = ${least} are wanted`,
    );
  }
  if (kept.length === vocabSize)
    throw new InputError(name, `would keep all of its ${vocabSize} tokens: nothing is to be trimmed`);
}

/** A plan as the text of its file. */
export function serializeTrimPlan({ counts: _, notes: __, kept, ...plan }: TrimPlan): string {
  const ranges: [number, number][] = [];
  for (const id of kept) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === id - 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return `${JSON.stringify({ ...plan, kept: ranges })}\n`;
}

/**
 * A plan from its file, by itself or among what `unembed trim` writes beside a model, checked against the model that it is to
 * be used on.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function readTrimPlan(source: ByteSource, model: HeadModel): Promise<TrimPlan> {
  const json = parseStrictJson(source.name, "plan", await source.read(0, source.size));
  const inside = typeof json === "object" && json !== null && "plan" in json ? json.plan : json;
  const parsed = planSchema.safeParse(inside);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new InputError(source.name, `field ${path.join(".") || "(all)"}: ${message}`);
  }
  const { kept: ranges, ...plan } = parsed.data;
  const tokenizer = await model.tokenizer();
  const { size, sha256 } = plan.vocabulary;
  if (
    plan.vocabSize !== model.vocabSize ||
    size !== tokenizer.vocabSize ||
    sha256 !== (await vocabularyHash(tokenizer))
  ) {
    throw new InputError(source.name, `is a plan for another vocabulary than that of ${model.name}`);
  }
  if (
    plan.padding !== undefined &&
    !ranges.some(([first, last]) => plan.padding!.like >= first && plan.padding!.like <= last)
  ) {
    throw new InputError(source.name, `field padding.like: id ${plan.padding.like} is none of those that stay`);
  }
  const whole = { ...plan, kept: idsOf(source.name, ranges, model.vocabSize) };
  checkWhole(source.name, whole, await trimmableTokenizer(model), await referencedIds(model.folder, model.vocabSize));
  checkKept(model, whole);
  return whole;
}

function idsOf(place: string, ranges: readonly (readonly [number, number])[], vocabSize: number): Int32Array {
  let before = -1;
  for (const [index, [first, last]] of ranges.entries()) {
    if (first <= before || last < first || last >= vocabSize) {
      throw new InputError(
        place,
        `field kept.${index}: [${first}, ${last}] is no range of ids that follows the one before`,
      );
    }
    before = last;
  }
  return Int32Array.from(
    ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
  );
}

/** A plan from outside may lack what a tokenizer needs. */
function checkWhole(place: string, { kept }: TrimPlan, tokenizer: TrimmableTokenizer, named: readonly number[]): void {
  const inPlan = new Set(kept);
  const missing = keptSet(tokenizer, named, kept).ids.find((id) => !inPlan.has(id));
  if (missing !== undefined)
    throw new InputError(place, `field kept: lacks id ${missing}, without which the tokenizer cannot do`);
}
