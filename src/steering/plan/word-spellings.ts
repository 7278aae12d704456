import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../errors.js";

/** A word as a text may hold it, and the tokens that it is then. */
export interface Spelling {
  readonly text: string;
  readonly ids: readonly number[];
}

/** Scripts whose words stand without spaces between them. */
const unspaced =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u;

/**
 * How a word of several tokens is spelled: first as it stands inside a text, after a space, unless it is given exactly or in a
 * script without spaces; then without one, after a space, after a line's end, and with a capital.
 * @throws InputError if it is empty, is one token, or the tokenizer cannot spell it
 */
export function wordSpellings(word: string, exactly: boolean, tokenizer: Tokenizer, place: string): Spelling[] {
  const bare = word.trim();
  if (bare === "") throw new InputError(place, "is empty: @word:WORD is wanted");
  const asIs = exactly || word !== bare || unspaced.test(bare);
  const main = spelled(asIs ? word : ` ${bare}`, tokenizer);
  const lost = main.ids.filter((id) => tokenizer.isSpecial(id));
  if (main.ids.length === 0 || lost.length > 0) {
    const through = lost.length > 0 ? ` without ${JSON.stringify(tokenizer.entry(lost[0]!))}` : "";
    throw new InputError(place, `cannot be spelled by the model's tokenizer${through}`);
  }
  if (main.ids.length === 1) {
    const [id] = main.ids as [number];
    const plainly = JSON.stringify(tokenizer.tokenText(id));
    const other = asIs ? undefined : spelled(bare, tokenizer);
    const split =
      other && other.ids.length > 1 ? `; without its space it is several, @word:${JSON.stringify(bare)}` : "";
    throw new InputError(
      place,
      `is one token, ${plainly} (id:${id}): name it plainly, as ${plainly} or id:${id}${split}`,
    );
  }
  const [first, ...others] = Array.from(bare);
  const capital = first!.toUpperCase() + others.join("");
  const texts = [bare, ` ${bare}`, `\n${bare}`, ` ${capital}`, capital];
  const rest = [...new Set(texts)].filter((text) => text !== main.text).map((text) => spelled(text, tokenizer));
  return [main, ...rest.filter(({ ids }) => ids.length > 0 && !ids.some((id) => tokenizer.isSpecial(id)))];
}

const spelled = (text: string, tokenizer: Tokenizer): Spelling => ({ text, ids: tokenizer.encode(text) });
