import { InputError } from "../../errors.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { type TokenNames, tokenNames } from "../../model/head/token-names.js";
import { vocabularyHash } from "../../model/head/vocabulary-hash.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { askedEdits, type Edits, wordOf } from "./edit-list.js";
import { checkedTarget } from "./edit-spec.js";
import { defaultLambda } from "./method.js";
import { type EditPlan, parseSavedPlan } from "./saved-plan.js";
import type { Target } from "./targets.js";
import { type SelectorOptions, selectTokens } from "./token-selector.js";
import { isInContext, wordEdits } from "./word-edits.js";

/** Whether a plan's edits are guarded: they are unless it says otherwise. */
export const isGuarded = ({ method, guard = true }: Pick<EditPlan, "method" | "guard">): boolean =>
  method === "nearest" && guard;

type PlannedEdit = EditPlan["edits"][number];

/** How targets are reached, for all edits of a plan. */
export interface PlanOptions extends Omit<SelectorOptions, "place" | "onNote"> {
  /** Give each token of a set the target by itself, instead of one to the set. */
  each?: boolean | undefined;
  method?: EditPlan["method"] | undefined;
  /** Default: 1e-4, and less for targets that are out of its reach. */
  lambda?: number | undefined;
  salient?: number | undefined;
  exact?: boolean | undefined;
  calibrate?: boolean | undefined;
  /** Of words of several tokens: which of their pieces are edited, from 1. Default: of each the one that tells most. */
  pieces?: readonly number[] | undefined;
  /** Have `nearest` stay near the logit bias also after tokens that the text lacks. Default true. */
  guard?: boolean | undefined;
}

/** How edits are found, whatever they are. */
export type EditWay = Pick<
  EditPlan,
  "method" | "forced" | "lambda" | "fixedLambda" | "salient" | "exact" | "calibrate" | "guard"
>;

/** The way that options ask for, with what is taken where they say nothing. */
export function editWay(options: PlanOptions): EditWay {
  const { method = "nearest", lambda, salient, exact, calibrate = true, guard } = options;
  return {
    method,
    ...(options.method === undefined ? {} : { forced: true }),
    ...(lambda === undefined ? { lambda: defaultLambda } : { lambda, fixedLambda: true }),
    ...(salient === undefined ? {} : { salient }),
    ...(exact ? { exact } : {}),
    calibrate,
    ...(method === "nearest" || guard === false ? { guard: guard ?? true } : {}),
  };
}

/**
 * Finds the tokens that edits are about.
 *
 *     const plan = await planEdits(model, { " the": 0.5, "id:3": "ban" });
 *     const same = await planEdits(model, [" the=x0.5", "id:3=ban"]);
 *
 * @param edits of tokens (see selectTokens), or of words of several (`@word:Voldemort`), and targets (see parseSpec; a number is a factor)
 * @throws InputError if a token does not exist, two edits are about the same one, or an option does not suit the model
 */
export async function planEdits(model: HeadModel, edits: Edits, options: PlanOptions = {}): Promise<EditPlan> {
  const { each = false, readList, matchTexts } = options;
  const names = await tokenNames(model);
  const planned: PlannedEdit[] = [];
  const places: string[] = [];
  for (const { token, target, label, place, given } of askedEdits(edits)) {
    const word = wordOf(token);
    if (word !== undefined) {
      if (!("encode" in names))
        throw new InputError(place, "names a word, and the model has no tokenizer.json to spell it");
      const edits = await wordEdits({ word, label, target, place }, names, model, options.pieces);
      planned.push(...edits);
      places.push(...edits.map(() => place));
      continue;
    }
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const ids = await selectTokens(token, names, { readList, matchTexts, place: given, onNote });
    const tokens = ids.map((id) => ({ id, text: names.tokenText(id) }));
    for (const [part, group] of (each ? tokens.map((one) => [one]) : [tokens]).entries()) {
      planned.push({ label, target, tokens: group, ...(part === 0 && notes.length > 0 ? { notes } : {}) });
      places.push(place);
    }
  }
  const plan: EditPlan = {
    schema: "unembed-edit-plan",
    schemaVersion: 2,
    vocabulary: { size: names.vocabSize, sha256: await vocabularyHash(names) },
    ...editWay(options),
    edits: planned,
  };
  checkPlan(plan, model, names, (index) => (index === undefined ? "edits" : places[index]!));
  return plan;
}

/**
 * A plan from its file.
 * @param changes fields that are to be others than in the file
 * @throws InputError naming the field that cannot be used, or that it is of another vocabulary
 */
export async function readEditPlan(
  source: ByteSource,
  model: HeadModel,
  changes: Partial<EditWay> = {},
): Promise<EditPlan> {
  const plan = { ...withoutOthers(await parseSavedPlan(source), changes.method), ...changes };
  const names = await tokenNames(model);
  const { size, sha256 } = plan.vocabulary;
  if (size !== names.vocabSize || sha256 !== (await vocabularyHash(names))) {
    throw new InputError(source.name, `is a plan for another vocabulary than that of ${model.name}`);
  }
  checkPlan(plan, model, names, (index) => (index === undefined ? source.name : `${source.name}: edits.${index}`));
  return plan;
}

/** The plan without what only its own method has a use for, where another one is to take its place. */
function withoutOthers(plan: EditPlan, method = plan.method): EditPlan {
  const { salient, exact, guard, ...rest } = plan;
  return method === plan.method ? plan : rest;
}

/** @param place of an edit, or of all of them together */
function checkPlan(plan: EditPlan, model: HeadModel, names: TokenNames, place: (index?: number) => string): void {
  const { method, salient, exact, lambda } = plan;
  if (!(lambda > 0 && Number.isFinite(lambda))) {
    throw new InputError("lambda", `is ${lambda}; a number above 0 is wanted`);
  }
  if (exact && method !== "constant") throw new InputError("exact", `is for the method constant, not ${method}`);
  if (salient !== undefined) {
    if (method !== "salient") throw new InputError("salient", `is for the method salient, not ${method}`);
    const { hiddenSize: d } = model;
    if (!(Number.isInteger(salient) && salient >= 1 && salient <= d)) {
      throw new InputError("salient", `is ${salient}; ${model.name} has ${d} dimensions`);
    }
  }
  const seen = new Map<number, number>();
  let total = 0;
  for (const [index, { label, tokens, target }] of plan.edits.entries()) {
    checkedTarget(target satisfies Target, place(index));
    if ("probability" in target) total += target.probability;
    checkWord(plan.edits[index]!, plan.method, place(index));
    for (const { id, text } of [...tokens, ...piecesOf(plan.edits[index]!)]) {
      if (id >= model.vocabSize || !names.produces(id)) {
        throw new InputError(place(index), `names id ${id}, which is no token`);
      }
      if (text !== names.tokenText(id)) {
        throw new InputError(
          place(index),
          `id ${id} is ${JSON.stringify(names.tokenText(id))}, not ${JSON.stringify(text)}`,
        );
      }
    }
    for (const { id, text } of tokens) {
      const before = seen.get(id);
      if (before !== undefined) {
        const other = plan.edits[before]!.label;
        throw new InputError(
          place(index),
          `token ${JSON.stringify(text)} (id:${id}) is edited twice: by ${JSON.stringify(other)} and by ${JSON.stringify(label)}`,
        );
      }
      seen.set(id, index);
    }
  }
  if (total >= 1)
    throw new InputError(
      place(),
      `the probabilities asked for add up to ${Number(total.toPrecision(6))}; they must stay below 1`,
    );
}

/** All tokens that an edit of a word names beside the one that it edits. */
const piecesOf = ({ prefix = [], word }: PlannedEdit) => [
  ...prefix,
  ...(word?.pieces ?? []),
  ...(word?.alsoAfter?.flat() ?? []),
];

/** @throws InputError if what an edit says of a word does not fit together, or its method is for all contexts */
function checkWord(edit: PlannedEdit, method: EditPlan["method"], place: string): void {
  const { tokens, prefix, word } = edit;
  if (prefix === undefined && word === undefined) return;
  const before = word?.pieces.slice(0, word.piece - 1);
  const fits =
    tokens.length === 1 &&
    word?.pieces[word.piece - 1]?.id === tokens[0]!.id &&
    prefix?.map(({ id }) => id).join() === before?.map(({ id }) => id).join();
  if (!fits) throw new InputError(place, "names a word whose pieces are not its prefix and its token");
  if (isInContext(edit) && method !== "nearest") {
    throw new InputError(place, `is of a word of several tokens, which only the method nearest edits, not ${method}`);
  }
}
