import * as z from "zod";
import type { Tokenizer } from "../corpus/tokenizer.js";
import { InputError } from "../errors.js";
import type { HeadModel } from "../model/head-model.js";
import type { ByteSource } from "../tensor/byte-source.js";
import { parseStrictJson } from "../tensor/strict-json.js";
import { checkedTarget, parseEdit } from "./edit-spec.js";
import { methods, type Target } from "./solution.js";
import { type SelectorOptions, selectTokens } from "./token-selector.js";

const target = z.union([
  z.strictObject({ scale: z.number() }),
  z.strictObject({ logOdds: z.number() }),
  z.strictObject({ probability: z.number() }),
]);

const planSchema = z.strictObject({
  schema: z.literal("unembed-edit-plan"),
  schemaVersion: z.literal(1),
  /** V of the tokenizer, and a hash over all tokens' texts. */
  vocabulary: z.strictObject({ size: z.number().int(), hash: z.string() }),
  method: z.enum(methods),
  /** lambda of `nearest`. */
  size: z.number().nonnegative(),
  /** k of `salient`. */
  salient: z.number().int().positive().optional(),
  calibrate: z.boolean(),
  edits: z
    .array(
      z.strictObject({
        /** As it was asked for. */
        label: z.string(),
        target,
        tokens: z.array(z.strictObject({ id: z.number().int().nonnegative(), text: z.string() })).min(1),
      }),
    )
    .min(1),
});

/** What is wanted of which tokens, and how: the same in a file and in memory, for any model of the same vocabulary. */
export type EditPlan = z.infer<typeof planSchema>;

export interface PlanOptions extends SelectorOptions {
  /** Give each token of a set the target by itself, instead of one to the set. */
  each?: boolean | undefined;
  method?: EditPlan["method"] | undefined;
  size?: number | undefined;
  salient?: number | undefined;
  calibrate?: boolean | undefined;
}

/**
 * Finds the tokens that edits are about.
 *
 *     const plan = await planEdits(model, [" the=x0.5", "@emoji=ban"]);
 *
 * @param edits `TOKEN=SPEC` each (see selectTokens and parseEdit)
 * @throws InputError if a token does not exist, or two edits are about the same one
 */
export async function planEdits(
  model: HeadModel,
  edits: readonly string[],
  { each = false, method = "nearest", size = 1e-4, salient, calibrate = true, ...reading }: PlanOptions = {},
): Promise<EditPlan> {
  if (edits.length === 0) throw new InputError("edits", "none is given");
  const tokenizer = await model.tokenizer();
  const planned: EditPlan["edits"] = [];
  for (const text of edits) {
    const { token, target } = parseEdit(text);
    const ids = await selectTokens(token, tokenizer, reading);
    const tokens = ids.map((id) => ({ id, text: tokenizer.tokenText(id) }));
    const groups = each ? tokens.map((one) => [one]) : [tokens];
    for (const group of groups) planned.push({ label: text, target, tokens: group });
  }
  return checkedPlan("edits", model, tokenizer, {
    schema: "unembed-edit-plan",
    schemaVersion: 1,
    vocabulary: { size: tokenizer.vocabSize, hash: vocabularyHash(tokenizer) },
    method,
    size,
    ...(salient === undefined ? {} : { salient }),
    calibrate,
    edits: planned,
  });
}

/** A plan from its file. @throws InputError naming the field that cannot be used, or that it is of another vocabulary */
export async function readEditPlan(source: ByteSource, model: HeadModel): Promise<EditPlan> {
  const json = parseStrictJson(source.name, "plan", await source.read(0, source.size));
  // What steer writes beside a model holds the plan among other things.
  const inside = typeof json === "object" && json !== null && "plan" in json ? json.plan : json;
  const parsed = planSchema.safeParse(inside);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new InputError(source.name, `field ${path.join(".") || "(all)"}: ${message}`);
  }
  return checkedPlan(source.name, model, await model.tokenizer(), parsed.data);
}

function checkedPlan(place: string, model: HeadModel, tokenizer: Tokenizer, plan: EditPlan): EditPlan {
  const { size, hash } = plan.vocabulary;
  if (size !== tokenizer.vocabSize || hash !== vocabularyHash(tokenizer)) {
    throw new InputError(place, `is a plan for another vocabulary than that of ${model.name}`);
  }
  const seen = new Map<number, string>();
  for (const { label, tokens, target } of plan.edits) {
    checkedTarget(label, target satisfies Target);
    for (const { id, text } of tokens) {
      if (id >= model.vocabSize || !tokenizer.produces(id))
        throw new InputError(place, `names id ${id}, which is no token`);
      const before = seen.get(id);
      if (before !== undefined) {
        throw new InputError(
          place,
          `ask twice for token ${JSON.stringify(text)} (id:${id}): in ${before} and in ${label}`,
        );
      }
      seen.set(id, label);
    }
  }
  return plan;
}

/** FNV-1a over the tokens' texts, to tell vocabularies apart, not to withstand anyone. */
function vocabularyHash({ vocabSize, tokenText }: Tokenizer): string {
  let hash = 0x811c9dc5;
  for (let id = 0; id < vocabSize; id++) {
    const text = `${tokenText(id)}\0`;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
