import * as z from "zod";
import { Refusal } from "../refusal.js";

/** One of the steps (normalizer, pre-tokenizer, decoder, post-processor) of a tokenizer.json. */
export type Step = { type: string; [field: string]: unknown };

/** Deeper nesting is no real file's, and would fill the stack. */
const maxDepth = 64;

/** What a Split or Replace looks for. */
export const patternShape = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })], {
  error: "neither a String nor a Regex",
});

/** A field that holds one character. */
export const oneCharacter = z.string().refine((text) => Array.from(text).length === 1, { error: "not one character" });

export const metaspaceShape = z
  .object({
    replacement: oneCharacter.default("\u2581"),
    prepend_scheme: z.enum(["always", "first", "never"]).default("always"),
    add_prefix_space: z.boolean().optional(),
    split: z.boolean().default(true),
  })
  .refine(({ prepend_scheme, add_prefix_space }) => add_prefix_space !== false || prepend_scheme === "never", {
    path: ["prepend_scheme"],
    error: 'add_prefix_space is false, with which only "never" goes',
  });

/** The steps of a Sequence, or the one step, each with its field's name. @throws Refusal if they are no steps */
export function flatten(step: unknown, field: string, depth = 0): { step: Step; field: string }[] {
  if (step === null || step === undefined) return [];
  if (depth > maxDepth) throw new Refusal(field.slice(0, 40), "is nested too deep to be used");
  if (typeof step !== "object" || !("type" in step) || typeof step.type !== "string") {
    throw new Refusal(field, "is not a step with a type");
  }
  if (step.type !== "Sequence") return [{ step: step as Step, field }];
  const name = childFields.find((name) => Array.isArray((step as Step)[name]));
  if (name === undefined) throw new Refusal(field, "is a Sequence without steps");
  return ((step as Step)[name] as unknown[]).flatMap((child, index) =>
    flatten(child, `${field}.${name}.${index}`, depth + 1),
  );
}

const childFields = ["normalizers", "pretokenizers", "processors", "decoders"];

/** The fields of a step in the shape that its type has. @throws Refusal naming the first that isn't */
export function stepFields<Fields>(step: Step, field: string, shape: z.ZodType<Fields>): Fields {
  const result = shape.safeParse(step);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new Refusal([field, ...path].join("."), `cannot be used: ${message}`);
}
