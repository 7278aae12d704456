import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { EditPlan } from "../plan/saved-plan.js";
import { isInContext } from "../plan/word-edits.js";
import type { Solution, WordUses } from "../solve/solution.js";
import { endsOf, type TextTokens } from "./word-contexts.js";

/** An edit of a piece of a word. */
export type WordEdit = EditPlan["edits"][number] & {
  readonly prefix: NonNullable<EditPlan["edits"][number]["prefix"]>;
  readonly word: NonNullable<EditPlan["edits"][number]["word"]>;
};

export const isWordEdit = (edit: EditPlan["edits"][number]): edit is WordEdit =>
  edit.word !== undefined && edit.prefix !== undefined;

const idsOf = (tokens: readonly { readonly id: number }[]): number[] => tokens.map(({ id }) => id);

/** Token ids that may stand before the edited piece, by spelling: those of the word itself first. */
export const prefixesOf = ({ prefix, word }: WordEdit): number[][] => [prefix, ...(word.alsoAfter ?? [])].map(idsOf);

/** Other words that are listed. */
const listed = 5;
/** Tokens on each side of a piece that may belong to the same word. */
const nearby = 8;
const wordAround = /[\p{L}\p{M}\p{N}'’]*$/u;
const wordBehind = /^[\p{L}\p{M}\p{N}'’]*/u;

export function usesInText(edit: WordEdit, text: TextTokens, tokenizer: Tokenizer): WordUses {
  const { pieces, piece } = edit.word;
  const id = pieces[piece - 1]!.id;
  const behind = idsOf(pieces.slice(piece));
  const spelled = prefixesOf(edit).map((prefix) => [...prefix, id, ...behind]);
  const ends = endsOf(text, spelled);
  const found = ends.reduce((sum, end) => sum + end, 0);
  const others = new Map<string, number>();
  const { tokenIds, windowStarts } = text;
  for (let w = 0; w + 1 < windowStarts.length; w++) {
    for (let t = windowStarts[w]!; t < windowStarts[w + 1]!; t++) {
      if (tokenIds[t] !== id || ends[t + behind.length] === 1) continue;
      const left = tokenizer.decode([...tokenIds.subarray(Math.max(windowStarts[w]!, t - nearby), t)]);
      const right = tokenizer.decode([...tokenIds.subarray(t, Math.min(windowStarts[w + 1]!, t + nearby))]);
      const own = right.trimStart();
      const inside = own === right ? (wordAround.exec(left)?.[0] ?? "") : "";
      const name = inside + (wordBehind.exec(own)?.[0] || own.slice(0, 1));
      others.set(name, (others.get(name) ?? 0) + 1);
    }
  }
  const commonest = [...others].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, listed);
  return { found, others: commonest.map(([name, count]) => ({ text: name, count })) };
}

/** Below this many places a text says too little of a word: then what it is put into has to. */
const fewPlaces = 20;

/** A solution that says of each word how often the fitting text holds it, and warns of words that it hardly holds. */
export function withWordUses(
  { edits }: Pick<EditPlan, "edits">,
  solution: Solution,
  text: TextTokens,
  tokenizer: Tokenizer,
): Solution {
  const uses = edits.map((edit) => (isWordEdit(edit) ? usesInText(edit, text, tokenizer) : undefined));
  const warnings = edits.flatMap((edit, g) => (isWordEdit(edit) ? warningsOn(edit, uses[g]!) : []));
  return {
    ...solution,
    groups: solution.groups.map((group, g) => (uses[g] ? { ...group, uses: uses[g] } : group)),
    warnings: [...solution.warnings, ...warnings],
  };
}

function warningsOn(edit: WordEdit, { found, others }: WordUses): string[] {
  const { text, pieces, piece } = edit.word;
  const [name, part] = [text, pieces[piece - 1]!.text].map((shown) => JSON.stringify(shown)) as [string, string];
  const times = found === 0 ? "nowhere" : found === 1 ? "once" : `${found} times`;
  const rare = `${name} stands ${times} in the fitting text: what its edit does there was fitted to places that it was put into; text that holds it says more`;
  const spelled = others.map(({ text: other, count }) => `${other} (${count})`).join(", ");
  const also =
    spelled === "" ? "the fitting text has it in no other word" : `in the fitting text it is also part of ${spelled}`;
  const everywhere = `${part} is changed in every context, not in ${name} alone: ${also}`;
  return [...(found < fewPlaces && isInContext(edit) ? [rare] : []), ...(isInContext(edit) ? [] : [everywhere])];
}
