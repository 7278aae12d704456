import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../errors.js";
import { nextPiece, type PieceState, pieceState } from "../text-pieces.js";
import type { Watch } from "./banned-drawer.js";
import type { BanMatcher } from "./matching.js";

/** A text as far as its characters are whole, and what its last bytes look like until they are one. */
interface Written extends PieceState {
  readonly text: string;
  readonly pending: string;
}

/** What bytes that are no character yet may become. */
const laterCharacters = ["\u00e9", "\u4e00", "\u2014", "\u{1f600}"];

/**
 * Follows the text that tokens make, across their boundaries and in whole characters: bytes that are no character yet say
 * something only if they say it whatever they become.
 * @param opening ids of the prompt
 * @throws InputError if the prompt says something banned by itself
 */
export function textWatch(
  tokenizer: Tokenizer,
  matcher: BanMatcher,
  opening: readonly number[],
  { endOfText, maxTokens }: { endOfText: ReadonlySet<number>; maxTokens: number },
): Watch {
  const prompt = tokenizer.decode(opening.filter(tokenizer.produces));
  const said = matcher.saidByPrompt(prompt);
  if (said !== undefined) {
    throw new InputError(said, "matches the prompt itself: whatever is written after it would hold it");
  }
  const states: Written[] = [{ ...pieceState(tokenizer, opening), text: prompt, pending: "" }];

  function after(id: number): Written {
    const { text, pending, ...before } = states.at(-1)!;
    const next = nextPiece(tokenizer, before, id);
    return { ...next.state, text: text + (next.piece?.text ?? ""), pending: next.pending };
  }

  function forbids(id: number): boolean {
    const before = states.at(-1)!;
    const says = (text: string, whole: boolean) => matcher.says(text, prompt.length, before.text.length, whole);
    if (endOfText.has(id)) return says(before.text + before.pending, true);
    const { text, pending } = after(id);
    if (states.length === maxTokens) return says(text + pending, true);
    if (pending === "") return says(text, false);
    // The last U+FFFD may become a character, those before it no longer.
    const begun = text + pending.slice(0, -1);
    return says(begun, false) || laterCharacters.every((character) => says(begun + character, false));
  }

  return {
    forbids,
    forbidden: (ids) => matcher.together(() => ids.filter(forbids)),
    ends: (id) => endOfText.has(id),
    push: (id) => states.push(after(id)),
    back(count) {
      states.length -= count;
    },
  };
}
