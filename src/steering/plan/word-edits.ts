import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../errors.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import { meansInRandomTexts } from "./random-texts.js";
import type { EditPlan } from "./saved-plan.js";
import { isBan, type Target } from "./targets.js";
import { literal } from "./token-selector.js";
import { type Spelling, wordSpellings } from "./word-spellings.js";

type PlannedEdit = EditPlan["edits"][number];

/** Whether an edit is made in the contexts that end in its prefix alone, rather than in all. */
export const isInContext = ({ prefix, target }: Pick<PlannedEdit, "prefix" | "target">): boolean =>
  prefix !== undefined && prefix.length > 0 && !isBan(target);

/**
 * Edits of a word of several tokens: of the row of one of its pieces, in the contexts that end in the pieces before it. Unless
 * pieces are chosen, it is the one that tells most: of those after the first that all spellings share, the one that is least likely
 * in texts of random tokens. Several pieces share a factor: each gets a root of it.
 * @param asked the edit as it was asked for  @param numbers of the chosen pieces, from 1
 * @throws InputError if the word is empty, one token or cannot be spelled, or it has no such piece
 */
export async function wordEdits(
  asked: { readonly word: string; readonly label: string; readonly target: Target; readonly place: string },
  tokenizer: Tokenizer,
  model: HeadModel | Model,
  numbers: readonly number[] | undefined,
): Promise<PlannedEdit[]> {
  const { label, target, place } = asked;
  const here = `${place}: word ${JSON.stringify(asked.word)}`;
  const word = literal(asked.word, here);
  const spellings = wordSpellings(word, /^".*"$/s.test(asked.word), tokenizer, here);
  const [main] = spellings as [Spelling];
  const chosen = numbers ?? [(await tellingPiece(spellings, model, tokenizer)) + 1];
  const shown = (ids: readonly number[]) => ids.map((id) => ({ id, text: tokenizer.tokenText(id) }));
  for (const number of chosen) {
    if (Number.isInteger(number) && number >= 1 && number <= main.ids.length) continue;
    const pieces = shown(main.ids).map(({ text }, i) => `${i + 1} ${JSON.stringify(text)}`);
    throw new InputError("pieces", `is ${number}; ${JSON.stringify(main.text)} has the pieces ${pieces.join(", ")}`);
  }
  return [...new Set(chosen)].map((number) => {
    const id = main.ids[number - 1]!;
    const also = otherPrefixes(spellings, number - 1);
    return {
      label: chosen.length > 1 ? `${label} (piece ${number})` : label,
      target: partOf(target, chosen.length),
      tokens: shown([id]),
      prefix: shown(main.ids.slice(0, number - 1)),
      word: {
        text: main.text,
        pieces: shown(main.ids),
        piece: number,
        ...(also.length > 0 ? { alsoAfter: also.map(shown) } : {}),
      },
      notes: notesOn(spellings, number, isBan(target), tokenizer),
    };
  });
}

/** Each of several pieces gets its part, so that all together get the whole. */
function partOf(target: Target, count: number): Target {
  if ("scale" in target) return { scale: target.scale ** (1 / count) };
  return "logOdds" in target ? { logOdds: target.logOdds / count } : target;
}

/** Where in a spelling a piece stands behind others; as far from its end as in the word, if it stands there too. */
function placeIn({ ids }: Spelling, id: number, fromEnd: number): number {
  const same = ids.length - fromEnd;
  return same >= 1 && ids[same] === id ? same : ids.indexOf(id, 1);
}

/** What stands before the piece in the other spellings that hold it. */
function otherPrefixes([main, ...others]: readonly Spelling[], at: number): number[][] {
  const prefixes = new Map<string, number[]>();
  for (const spelling of others) {
    if (at === 0) continue;
    const place = placeIn(spelling, main!.ids[at]!, main!.ids.length - at);
    if (place >= 1) prefixes.set(spelling.ids.slice(0, place).join(), spelling.ids.slice(0, place));
  }
  prefixes.delete(main!.ids.slice(0, at).join());
  return [...prefixes.values()];
}

/** @returns its index in the first spelling */
async function tellingPiece(
  spellings: readonly Spelling[],
  model: HeadModel | Model,
  tokenizer: Tokenizer,
): Promise<number> {
  const [main, ...others] = spellings as [Spelling, ...Spelling[]];
  const places = main.ids.map((_, at) => at).slice(1);
  const sharing = (at: number) =>
    others.filter((spelling) => placeIn(spelling, main.ids[at]!, main.ids.length - at) >= 1).length;
  const most = Math.max(...places.map(sharing));
  const shared = places.filter((at) => sharing(at) === most);
  if (shared.length === 1) return shared[0]!;
  if (!("hiddenStates" in model)) {
    throw new InputError("pieces", "is missing: without the model's layers nothing says which piece tells most");
  }
  const ids = shared.map((at) => main.ids[at]!);
  const means = await meansInRandomTexts(model, tokenizer, ids);
  return shared[means.indexOf(Math.min(...means))]!;
}

function notesOn(spellings: readonly Spelling[], number: number, banned: boolean, tokenizer: Tokenizer): string[] {
  const [main, ...others] = spellings as [Spelling, ...Spelling[]];
  const id = main.ids[number - 1]!;
  const pieces = (ids: readonly number[]) => ids.map((one) => JSON.stringify(tokenizer.tokenText(one))).join(" ");
  const without = others.filter(
    ({ ids, text }) => !ids.includes(id) && text.trim() === main.text.trim() && text[0] !== "\n",
  );
  const before = pieces(main.ids.slice(0, number - 1));
  const how = banned
    ? `number ${number} is banned in every context`
    : number === 1
      ? "the first is edited, which has none before it, in every context"
      : `number ${number} is edited, after ${before}`;
  return [
    `the pieces of ${JSON.stringify(main.text)} are ${pieces(main.ids)}: ${how}`,
    ...without.map(
      ({ text, ids }) =>
        `as ${JSON.stringify(text)} it is ${pieces(ids)}, which is not edited: @word:${JSON.stringify(text)} is`,
    ),
  ];
}
