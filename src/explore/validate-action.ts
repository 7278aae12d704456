import * as z from "zod";
import { InputError } from "../errors.js";
import { methods } from "../steering/plan/method.js";
import type { Action } from "./actions.js";
import type { Address } from "./address-view.js";

/** Bounds of what a page may send: a page may be hostile, and a link be made by anybody. */
const most = {
  /** Characters. */
  text: 2 ** 24,
  prompt: 20_000,
  selector: 500,
  name: 500,
  address: 2 ** 16,
  path: 1000,
  /** Files of a folder that was dropped, and edits. */
  files: 2000,
  edits: 100,
  /** Of a text that is read: their hidden states stay in memory. */
  tokens: 200_000,
  written: 400,
  lambda: 1e6,
  vocabulary: 2 ** 24,
} as const;

const name = z.string().min(1).max(most.name);
const index = z.int().min(0).max(1e6);
const model = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("embedded") }),
  z.strictObject({ kind: z.literal("hub"), name }),
  z.strictObject({ kind: z.literal("dropped"), drop: index }),
  z.strictObject({ kind: z.literal("offered"), name }),
]);
const text = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("offered"), name }),
  z.strictObject({ kind: z.literal("dropped"), drop: index }),
  z.strictObject({ kind: z.literal("own"), text: z.string().max(most.text) }),
]);
const isBlob = (value: unknown) => typeof Blob !== "undefined" && value instanceof Blob;
const file = z.strictObject({
  path: z.string().min(1).max(most.path),
  content: z.custom<Blob | Uint8Array<ArrayBuffer>>(
    (value) => value instanceof Uint8Array || isBlob(value),
    "is neither a file nor bytes",
  ),
});
const tokens = z.int().min(16).max(most.tokens);
const position = z.union([z.number().min(1e-3).max(1e3), z.literal("ban")]);
const selector = z.string().min(1).max(most.selector);
const writing = z.strictObject({
  tokens: z.int().min(1).max(most.written),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31),
  temperature: z.number().min(0).max(10),
  topK: z.int().min(1).max(most.vocabulary).nullable(),
  topP: z.number().gt(0).max(1).nullable(),
});
const size = z.strictObject({
  kept: z
    .int()
    .min(1)
    .max(2 ** 20),
  rescore: z.int().min(0).max(most.vocabulary),
});
const prompt = z.string().max(most.prompt);
const lambda = z.number().gt(0).max(most.lambda);
const trim = z.int().min(1).max(most.vocabulary).nullable();
const room = z.enum(["open", "read", "steer", "shrink", "trim", "watch", "compare", "home"]);
const sequence = z.int().min(0);
const takeHome = z.enum([
  ...(["head", "model", "gguf", "edit-plan", "reduction-plan", "trim-plan"] as const),
  ...(["tokens-csv", "edits-csv", "curve-csv", "figures-json"] as const),
]);

const action = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("drop"), files: z.array(file).min(1).max(most.files) }),
  z.strictObject({ type: z.literal("open-model"), model }),
  z.strictObject({ type: z.literal("download"), accept: z.boolean() }),
  z.strictObject({ type: z.literal("open-text"), text, tokens: tokens.optional() }),
  z.strictObject({ type: z.literal("open-run"), name }),
  z.strictObject({ type: z.literal("stop"), task: name.optional() }),
  z.strictObject({ type: z.literal("dismiss-problem") }),
  z.strictObject({ type: z.literal("load-address"), address: z.string().max(most.address) }),
  z.strictObject({ type: z.literal("load-plan"), file }),
  z.strictObject({ type: z.literal("go"), room }),
  z.strictObject({ type: z.literal("show-token"), id: z.int().min(0).max(most.vocabulary).nullable() }),
  z.strictObject({ type: z.literal("search"), query: z.string().max(most.selector) }),
  z.strictObject({ type: z.literal("set-prompt"), prompt }),
  z.strictObject({ type: z.literal("add-edit"), selector, position: position.optional() }),
  z.strictObject({ type: z.literal("remove-edit"), edit: index }),
  z.strictObject({ type: z.literal("slide"), edit: index, position, sequence }),
  z.strictObject({ type: z.literal("release"), edit: index, position }),
  z.strictObject({ type: z.literal("set-method"), method: z.enum(methods), lambda }),
  z.strictObject({ type: z.literal("compare-methods") }),
  z.strictObject({ type: z.literal("write"), writing, of: z.enum(["steer", "shrink"]) }),
  z.strictObject({ type: z.literal("slide-shrink"), size, sequence }),
  z.strictObject({ type: z.literal("release-shrink"), size: size.nullable() }),
  z.strictObject({ type: z.literal("set-trim"), vocabSize: trim }),
  z.strictObject({ type: z.literal("open-series"), name }),
  z.strictObject({ type: z.literal("set-step"), index }),
  z.strictObject({ type: z.literal("compare"), model }),
  z.strictObject({ type: z.literal("take-home"), what: takeHome }),
  z.strictObject({ type: z.literal("keep"), name }),
  z.strictObject({ type: z.literal("show-kept"), index }),
  z.strictObject({ type: z.literal("forget-kept"), index }),
  z.strictObject({ type: z.literal("undo") }),
  z.strictObject({ type: z.literal("redo") }),
]);

const address = z.strictObject({
  room,
  model: model.optional(),
  text: text.optional(),
  tokens: tokens.optional(),
  choices: z.strictObject({
    prompt,
    edits: z.array(z.strictObject({ selector, position })).max(most.edits),
    method: z.enum(methods),
    lambda,
    writing,
    shrink: size.nullable(),
    trim,
  }),
});

/** What a page sent. @throws InputError naming the field that makes no sense */
export function parseAction(value: unknown): Action {
  return checked(action, value, "action") satisfies Action;
}

/** What a link holds. @throws InputError naming the field that makes no sense */
export function parseAddress(value: unknown): Address {
  return checked(address, value, "link") satisfies Address;
}

function checked<Value>(schema: z.ZodType<Value>, value: unknown, place: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new InputError(place, `field ${path.join(".") || "(all)"}: ${message}`);
}
