import { piecesBytes } from "../../corpus/tokenizer/token-text.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";

/** A token that ends in the midst of a character: in vocabularies of bytes, what characters without a token of their own begin with. */
export interface BeginningPiece {
  readonly id: number;
  readonly bytes: readonly number[];
  /** Characters of a set that it can begin, and others. */
  readonly ofSet: number;
  readonly others: number;
  /** Some of the others. */
  readonly examples: string;
  /** Whether it begins mostly characters of the set, of those in common use. */
  readonly mostly: boolean;
}

/** Of the characters that a piece begins, how many have to be of the set for the piece to be. */
const mostShare = 0.5;
const shownOthers = 4;
/** Beyond the first plane of Unicode only emoji are in common use: the rest is historic scripts, notation and rare Han. */
const firstPlane = 0x10000;
const emoji = /\p{Emoji_Presentation}|\p{Extended_Pictographic}/u;
const assigned = /[^\p{Cn}\p{Co}\p{Cs}]/u;
const visible = /[^\p{C}\p{Z}\p{M}]/u;

/**
 * The pieces of characters that characters of a set begin with, by what else they begin. A piece may hold spaces or characters of
 * the set before; what ends a character is none.
 * @param ofSet tells a text of the set from others
 */
export function beginningPieces(tokenizer: Tokenizer, ofSet: (text: string) => boolean): BeginningPiece[] {
  const counted = new Map<string, Omit<BeginningPiece, "id" | "bytes">>();
  const pieces: BeginningPiece[] = [];
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (!tokenizer.produces(id) || tokenizer.isSpecial(id) || !tokenizer.tokenText(id).endsWith("\ufffd")) continue;
    const bytes = piecesBytes(tokenizer.entry(id)!);
    if (bytes === undefined) continue;
    const begun = begunCharacter(bytes);
    if (begun === undefined || !(begun.before.trim() === "" || ofSet(begun.before))) continue;
    const key = `${begun.first} ${begun.last}`;
    const counts = counted.get(key) ?? count(begun, ofSet);
    counted.set(key, counts);
    if (counts.ofSet > 0) pieces.push({ id, bytes, ...counts });
  }
  return pieces;
}

interface Begun {
  /** The text before the character. */
  readonly before: string;
  /** Code points that it can be, both included. */
  readonly first: number;
  readonly last: number;
}

/** The character that bytes end in the midst of; undefined where they do not, or are no UTF-8 before it. */
export function begunCharacter(bytes: readonly number[]): Begun | undefined {
  let lead = bytes.length - 1;
  while (lead > 0 && lead > bytes.length - 3 && isContinuation(bytes[lead]!)) lead--;
  const length = utf8Length(bytes[lead]!);
  const there = bytes.length - lead;
  if (length === undefined || there >= length) return undefined;
  const [lowest, highest] = [0, 1].map((end) => {
    let value = bytes[lead]! & (0x7f >> length);
    for (let i = 1; i < length; i++) value = (value << 6) | (i < there ? bytes[lead + i]! & 0x3f : end * 0x3f);
    return value;
  }) as [number, number];
  const first = Math.max(lowest, length === 3 ? 0x800 : length === 4 ? firstPlane : 0x80);
  const last = Math.min(highest, 0x10ffff);
  if (first > last) return undefined;
  try {
    const before = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes.slice(0, lead)),
    );
    return { before, first, last };
  } catch {
    return undefined;
  }
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** Bytes of a character that begins with this one; undefined if none of several does. */
function utf8Length(lead: number): number | undefined {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : undefined;
}

function count({ first, last }: Begun, isOfSet: (text: string) => boolean): Omit<BeginningPiece, "id" | "bytes"> {
  let ofSet = 0;
  let common = 0;
  let commonOfSet = 0;
  const others: string[] = [];
  for (let point = first; point <= last; point++) {
    const text = String.fromCodePoint(point);
    if (!assigned.test(text)) continue;
    const isCommon = point < firstPlane || emoji.test(text);
    const belongs = isOfSet(text);
    if (belongs) ofSet++;
    else others.push(text);
    if (isCommon) common++;
    if (isCommon && belongs) commonOfSet++;
  }
  const shown = others.filter((text) => visible.test(text));
  const step = Math.max(1, Math.floor(shown.length / shownOthers));
  return {
    ofSet,
    others: others.length,
    examples: Array.from({ length: Math.min(shownOthers, shown.length) }, (_, i) => shown[i * step]!).join(" "),
    mostly: common > 0 ? commonOfSet >= mostShare * common : ofSet >= mostShare * (ofSet + others.length),
  };
}

/** Pieces that a message names. */
const named = 6;

/** What else the pieces begin, and which were left out because they begin more of other things. */
export function beginningNotes(pieces: readonly BeginningPiece[], what: string): string[] {
  const told = (list: readonly BeginningPiece[]) =>
    list
      .slice(0, named)
      .map(({ id, bytes, ofSet, others, examples }) => {
        const hex = bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
        const such = examples === "" ? "" : ` (${examples})`;
        const besides = others > 0 ? ` and ${others.toLocaleString("en")} other characters${such}` : "";
        return `<${hex}> (id:${id}) begins ${ofSet.toLocaleString("en")} of ${what}${besides}`;
      })
      .join("; ") + (list.length > named ? `; and ${list.length - named} more` : "");
  const taken = pieces.filter(({ mostly }) => mostly);
  const left = pieces.filter(({ mostly }) => !mostly);
  return [
    ...(taken.length > 0 ? [`pieces of characters are among them: ${told(taken)}`] : []),
    ...(left.length > 0
      ? [`pieces that begin more of other things are left out, name them by id if they are meant: ${told(left)}`]
      : []),
  ];
}
