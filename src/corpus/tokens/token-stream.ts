import { eventLoopTurns } from "../text/event-loop-turns.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";

export interface TokenStreamOptions {
  /** Characters encoded at a time. */
  chunkLength?: number;
  /** Characters after a cut that must come out the same. */
  lookahead?: number;
  /** A text that can't be cut anywhere inside this many characters is cut there all the same. */
  maxLength?: number;
}

/** Long enough for the checks to cost little, short enough for tokenizers whose work grows faster than the text. */
const defaultChunkLength = 2 ** 12;
/** Longer than any token or word that is likely to lie across a cut. */
const defaultLookahead = 2 ** 8;
/** No written text goes on so long without a place to cut; 2 MB. */
const defaultMaxLength = 2 ** 20;
/** A text begins with a mark for a space in many tokenizers, which its first characters may be joined to. */
const mostSkipped = 3;
/** Places tried of each kind before more text is read. */
const triesPerKind = 16;

/**
 * The token ids of a text, a part at a time in bounded memory: together they are encode(the whole text). The text is cut only
 * where that changes nothing: where the ids of what follows the cut, encoded alone, are the last ids of the two encoded
 * together, but for a few at its beginning. Only a text of `maxLength` characters without such a place is cut in an arbitrary one.
 */
export async function* tokenStream(
  tokenizer: Pick<Tokenizer, "encode">,
  text: AsyncIterable<string>,
  options: TokenStreamOptions = {},
): AsyncGenerator<number[]> {
  const { chunkLength = defaultChunkLength, lookahead = defaultLookahead, maxLength = defaultMaxLength } = options;
  let pending = "";
  let wanted = chunkLength + lookahead;
  let kind = 0;
  // Ids at the beginning of what is pending that are there only because it begins there.
  let skip = 0;
  const turn = eventLoopTurns();
  for await (const part of text) {
    pending += part;
    let start = 0;
    while (pending.length - start >= wanted) {
      await turn();
      const block = pending.slice(start, characterEdge(pending, start + wanted));
      const ids = tokenizer.encode(block).slice(skip);
      const cut =
        findCut(tokenizer, block, ids, lookahead, kind) ??
        (wanted < maxLength ? undefined : arbitraryCut(tokenizer, block, skip));
      if (cut === undefined) {
        wanted = Math.min(2 * wanted, maxLength);
        continue;
      }
      yield cut.ids;
      ({ kind, skip } = cut);
      start += cut.at;
      wanted = chunkLength + lookahead;
    }
    pending = pending.slice(start);
  }
  if (pending !== "") yield tokenizer.encode(pending).slice(skip);
}

interface Cut {
  at: number;
  /** Tokens of the text before the cut. */
  ids: number[];
  /** Which kind of place it is. */
  kind: number;
  /** First ids of what follows, encoded alone, that are not among those of the two together: they are for where it begins. */
  skip: number;
}

/** @param ids of the whole block  @param firstKind to try first, as the one that worked last works again mostly */
function findCut(
  tokenizer: Pick<Tokenizer, "encode">,
  block: string,
  ids: number[],
  lookahead: number,
  firstKind: number,
): Cut | undefined {
  const latest = block.length - Math.min(lookahead, Math.floor(block.length / 2));
  const kinds = [firstKind, ...placesToCut.keys()].filter((kind, index, all) => all.indexOf(kind) === index);
  for (const kind of kinds) {
    for (const at of candidates(block, latest, placesToCut[kind]!)) {
      const following = tokenizer.encode(block.slice(at));
      for (let skip = 0; skip <= mostSkipped && skip < following.length / 2; skip++) {
        const left = ids.length - following.length + skip;
        if (left > 0 && endsWith(ids, following, skip)) return { at, ids: ids.slice(0, left), kind, skip };
      }
    }
  }
  return undefined;
}

/** Kinds of places to cut, the best first: between two words, before or after the space; at white space; anywhere. */
const placesToCut: ((block: string, at: number) => boolean)[] = [
  (block, at) => block[at] === " " && isLetter(block[at - 1]) && isLetter(block[at + 1]),
  (block, at) => block[at - 1] === " " && isLetter(block[at - 2]) && isLetter(block[at]),
  (block, at) => isSpace(block[at]) !== isSpace(block[at - 1]),
  (block, at) => !splitsCharacter(block, at),
];

function* candidates(block: string, latest: number, fits: (block: string, at: number) => boolean): Generator<number> {
  const earliest = Math.floor(latest / 2);
  let tries = 0;
  for (let at = latest; at > earliest && tries < triesPerKind; at--) {
    if (!fits(block, at)) continue;
    tries++;
    yield at;
  }
}

function arbitraryCut(tokenizer: Pick<Tokenizer, "encode">, block: string, skip: number): Cut {
  const at = characterEdge(block, Math.ceil(block.length / 2));
  return { at, ids: tokenizer.encode(block.slice(0, at)).slice(skip), kind: 0, skip: 0 };
}

/** @param skip how many of the ids at the end may be others */
function endsWith(ids: number[], end: number[], skip: number): boolean {
  const offset = ids.length - end.length;
  for (let i = end.length - 1; i >= skip; i--) if (ids[offset + i] !== end[i]) return false;
  return true;
}

function characterEdge(text: string, at: number): number {
  return splitsCharacter(text, at) ? at + 1 : at;
}

/** Whether the place lies between the halves of a surrogate pair. */
function splitsCharacter(text: string, at: number): boolean {
  return isBetween(text.charCodeAt(at - 1), 0xd800, 0xdbff) && isBetween(text.charCodeAt(at), 0xdc00, 0xdfff);
}

function isBetween(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

const isLetter = (character: string | undefined): boolean => character !== undefined && /\p{L}/u.test(character);
const isSpace = (character: string | undefined): boolean => character !== undefined && /\s/.test(character);
