import * as z from "zod";
import { InputError } from "../../errors.js";
import { type ByteSource, wholeFile } from "../../tensor/byte-source.js";
import { parseStrictJson } from "../../tensor/strict-json.js";
import { banMethods, methods } from "./method.js";

/** A plan for every token of the largest vocabularies. */
const maxPlanBytes = 2 ** 27;

const target = z.union([
  z.strictObject({ scale: z.number() }),
  z.strictObject({ logOdds: z.number() }),
  z.strictObject({ probability: z.number() }),
  z.strictObject({ ban: z.union([z.literal(true), z.number()]) }),
]);

const token = z.strictObject({ id: z.number().int().nonnegative(), text: z.string() });

const planSchema = z.strictObject({
  schema: z.literal("unembed-edit-plan"),
  /** Version 1 had one lambda for all edits, and bans as factors. */
  schemaVersion: z.union([z.literal(1), z.literal(2)]),
  /** V of the tokenizer, and SHA-256 (hex) over its entries. */
  vocabulary: z.strictObject({ size: z.number().int(), sha256: z.string() }),
  method: z.enum(methods),
  /** Use the method for bans too, though it keeps no bound. */
  forced: z.boolean().optional(),
  /** lambda of `nearest` and `constant`. */
  size: z.number().positive(),
  /** Keep that lambda also where a target is out of its reach. */
  fixedSize: z.boolean().optional(),
  /** k of `salient`. */
  salient: z.number().int().positive().optional(),
  /** `constant` along the direction that is exact in models with a LayerNorm. */
  exact: z.boolean().optional(),
  calibrate: z.boolean(),
  /** `nearest` stays near the logit bias also after tokens that the text lacks. Left out: true. */
  guard: z.boolean().optional(),
  edits: z
    .array(
      z.strictObject({
        /** As it was asked for. */
        label: z.string(),
        target,
        /** What found it, where that is another method than the plan's: bans have ways of their own. */
        method: z.enum([...methods, ...banMethods]).optional(),
        /** lambda of this edit, where it has one of its own. */
        lambda: z.number().positive().optional(),
        tokens: z.array(token).min(1),
        /** Of a piece of a word: the pieces before it. The edit is made in the contexts that end in them; a ban in all. */
        prefix: z.array(token).optional(),
        /** The word, its pieces, which of them is edited (from 1), and what stands before that in other spellings. */
        word: z
          .strictObject({
            text: z.string(),
            pieces: z.array(token).min(2),
            piece: z.number().int().positive(),
            alsoAfter: z.array(z.array(token).min(1)).optional(),
          })
          .optional(),
        /** What these tokens are besides, that one might not expect. */
        notes: z.array(z.string()).optional(),
      }),
    )
    .min(1),
});

/** A plan as its file has it (docs/run-schema.md). */
export type SavedPlan = z.infer<typeof planSchema>;

/** What is wanted of which tokens, and how: for any model of the same vocabulary. */
export interface EditPlan extends Omit<SavedPlan, "size" | "fixedSize"> {
  /** Of `nearest` and `constant`: how much the size of an edit counts against its faithfulness. */
  lambda: number;
  /** Keep that lambda also where a target is out of its reach. */
  fixedLambda?: boolean | undefined;
}

/** A plan as its file has it. */
export function savedPlan(plan: EditPlan): SavedPlan {
  const { schema, schemaVersion, vocabulary, method, lambda, fixedLambda, ...rest } = plan;
  const fixed = fixedLambda === undefined ? {} : { fixedSize: fixedLambda };
  return { schema, schemaVersion, vocabulary, method, size: lambda, ...fixed, ...rest };
}

/**
 * A plan from its file: one by itself, also as it is in memory, or among the other things that steer writes beside a model.
 * @throws InputError naming the field that cannot be used
 */
export async function parseSavedPlan(source: ByteSource): Promise<EditPlan> {
  const json = parseStrictJson(source.name, "plan", await wholeFile(source, maxPlanBytes));
  const inside = isObject(json) && "plan" in json ? json.plan : json;
  const parsed = planSchema.safeParse(isObject(inside) && "lambda" in inside ? inFileNames(inside) : inside);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new InputError(source.name, `field ${path.join(".") || "(all)"}: ${message}`);
  }
  const { size, fixedSize, ...rest } = parsed.data;
  // Written again, with what each edit was found by, it is one of the second version.
  return { ...rest, schemaVersion: 2, lambda: size, ...(fixedSize === undefined ? {} : { fixedLambda: fixedSize }) };
}

function inFileNames({ lambda: size, fixedLambda, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return { size, ...(fixedLambda === undefined ? {} : { fixedSize: fixedLambda }), ...rest };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
