import type { AddedToken } from "./files/added-token.js";
import { plainToken } from "./files/added-token.js";
import { type Piece, pieceTypes, type SentencePieceFile } from "./files/sentencepiece-file.js";
import { type MergeTable, mergeAll } from "./models/merges.js";
import type { TokenModel } from "./models/token-model.js";
import { likeliestIds } from "./models/unigram.js";
import { byteIds } from "./models/vocabulary.js";
import { readMap } from "./steps/precompiled.js";
import type { Step } from "./steps/step.js";
import { buildTrie, longestAt, type Trie } from "./trie.js";

/** The mark that SentencePiece writes for a space. */
const mark = "\u2581";
const utf8 = new TextEncoder();

/** The parts of a tokenizer that a SentencePiece model is. */
export interface SentencePieceParts {
  /** @param fromStart whether the part begins the text: only there a mark is put first */
  prepare(text: string, fromStart: boolean): string;
  readonly model: TokenModel;
  /** Control and unknown pieces, which transformers finds where they are written out, and those that the user defined. */
  readonly added: readonly AddedToken[];
  readonly decoder: Step;
}

/** SentencePiece's own way from text to pieces (normalizer.cc, bpe_model.cc, unigram_model.cc), for a checked file. */
export function sentencePieceParts(file: SentencePieceFile): SentencePieceParts {
  const { pieces } = file;
  const userDefined = pieces.filter(({ type }) => type === pieceTypes.userDefined).map(({ piece }) => piece);
  const kept = buildTrie(userDefined.filter((piece) => piece !== ""));
  const special = pieces.filter(({ type }) => type === pieceTypes.control || type === pieceTypes.unknown);
  return {
    prepare: preparation(file, kept),
    model: file.kind === "BPE" ? byScore(file, kept) : byLikelihood(file),
    added: special.map(({ piece }) => plainToken(piece, true)),
    decoder: decoderOf(file),
  };
}

function decoderOf({ addsSpace, spaceAsSuffix, escapesSpaces }: SentencePieceFile): Step {
  const steps: Step[] = [{ type: "ByteFallback" }, { type: "Fuse" }];
  if (escapesSpaces) steps.unshift({ type: "Replace", pattern: { String: mark }, content: " " });
  if (addsSpace) steps.push({ type: "Strip", content: " ", start: spaceAsSuffix ? 0 : 1, stop: spaceAsSuffix ? 1 : 0 });
  return { type: "Sequence", decoders: steps };
}

function preparation(file: SentencePieceFile, kept: Trie): SentencePieceParts["prepare"] {
  const { addsSpace, dropsExtraSpaces, escapesSpaces, spaceAsSuffix, charsmap } = file;
  const lookUp = charsmap.length === 0 ? undefined : readMap(charsmap, "normalizer_spec.precompiled_charsmap");
  return (text, fromStart) => {
    let normalized = "";
    let afterSpace = dropsExtraSpaces;
    for (const part of normalizedParts(text, kept, lookUp)) {
      const shown = afterSpace ? part.replace(/^ +/, "") : part;
      if (shown === "") continue;
      normalized += shown;
      afterSpace = dropsExtraSpaces && shown.endsWith(" ");
    }
    if (dropsExtraSpaces) normalized = normalized.replace(/ +$/, "");
    if (normalized === "") return "";
    if (addsSpace && fromStart) normalized = spaceAsSuffix ? `${normalized} ` : ` ${normalized}`;
    return escapesSpaces ? normalized.replaceAll(" ", mark) : normalized;
  };
}

/** A text in parts that are normalised by themselves: the longest that the user defined, or that the map knows, or a character. */
function* normalizedParts(text: string, kept: Trie, lookUp: ReturnType<typeof readMap> | undefined): Generator<string> {
  let at = 0;
  while (at < text.length) {
    const defined = longestAt(kept, text, at)?.end;
    if (defined !== undefined) {
      yield text.slice(at, defined);
      at = defined;
      continue;
    }
    const found = lookUp?.(utf8.encode(text.slice(at, at + maxMapped)), "longest");
    if (found === undefined) {
      const character = String.fromCodePoint(text.codePointAt(at)!);
      yield character;
      at += character.length;
    } else {
      yield found.text;
      at += unitsOf(text, at, found.bytes);
    }
  }
}

/** Units of text that a map is asked for at a time; longer entries are no real map's. */
const maxMapped = 24;

/** How many units have so many bytes of UTF-8. */
function unitsOf(text: string, start: number, bytes: number): number {
  let units = 0;
  for (let left = bytes; left > 0; ) {
    const code = text.codePointAt(start + units)!;
    left -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units += code < 0x10000 ? 1 : 2;
  }
  return units;
}

/** Ids of pieces, and what both kinds of model share. */
function vocabularyOf({ pieces, byteFallback }: SentencePieceFile) {
  const all = new Map<string, number>();
  for (const [id, { piece }] of pieces.entries()) if (!all.has(piece)) all.set(piece, id);
  const unknown = pieces.findIndex(({ type }) => type === pieceTypes.unknown);
  return {
    all,
    unknown: unknown < 0 ? undefined : unknown,
    /** Ids that stand for what no piece does. */
    unknownIds: (text: string): number[] =>
      (byteFallback ? byteIds(text, all) : undefined) ?? (unknown < 0 ? [] : [unknown]),
    rest: {
      idOf: (token: string) => all.get(token),
      size: pieces.length,
      *tokens(): Generator<[number, string]> {
        for (const [id, { piece }] of pieces.entries()) yield [id, piece];
      },
    },
  };
}

const isText = ({ type }: Piece): boolean => type === pieceTypes.normal || type === pieceTypes.userDefined;

function byLikelihood(file: SentencePieceFile): TokenModel {
  const { unknown, unknownIds, rest } = vocabularyOf(file);
  const normal = file.pieces.filter(({ type }) => type === pieceTypes.normal).map(({ score }) => score);
  const [least, most] = [normal.reduce((a, b) => Math.min(a, b), 0), normal.reduce((a, b) => Math.max(a, b), -1e9)];
  const likeliest = likeliestIds({
    tokens: file.pieces.map((piece) => (isText(piece) ? piece.piece : "")),
    scores: Float32Array.from(file.pieces, ({ piece, score, type }) =>
      type === pieceTypes.userDefined ? utf8.encode(piece).length * most - 0.1 : score,
    ),
    unknownScore: least - 10,
    unknown,
  });
  return { ...rest, unknown, ids: (piece) => likeliest(piece, unknownIds) };
}

function byScore(file: SentencePieceFile, kept: Trie): TokenModel {
  const { all, unknown, unknownIds, rest } = vocabularyOf(file);
  const { pieces } = file;
  const scores = [...new Set(pieces.map(({ score }) => score))].sort((a, b) => b - a);
  const rankOfScore = new Map(scores.map((score, rank) => [score, rank]));
  // Characters without a piece are numbered after the pieces.
  const names = pieces.map(({ piece }) => piece);
  const others = new Map<string, number>();
  const idOf = (text: string): number | undefined => {
    const id = all.get(text);
    return id !== undefined && isText(pieces[id]!) ? id : undefined;
  };
  const symbolOf = (character: string): number => {
    const id = idOf(character) ?? others.get(character);
    if (id !== undefined) return id;
    others.set(character, names.length);
    return names.push(character) - 1;
  };
  const mergedId = (left: number, right: number) => idOf(names[left]! + names[right]!);
  const table: MergeTable = {
    rank(left, right) {
      const id = mergedId(left, right);
      return id === undefined ? undefined : rankOfScore.get(pieces[id]!.score);
    },
    merged: (left, right) => mergedId(left, right)!,
  };
  const idsOf = (text: string): number[] => {
    const ids: number[] = [];
    let lost = "";
    const flush = () => {
      if (lost !== "") for (const id of unknownIds(lost)) ids.push(id);
      lost = "";
    };
    for (const symbol of mergeAll(Array.from(text, symbolOf), table)) {
      if (symbol >= pieces.length) lost += names[symbol];
      else {
        flush();
        ids.push(symbol);
      }
    }
    flush();
    return ids;
  };
  return {
    ...rest,
    unknown,
    ids(piece) {
      const ids: number[] = [];
      let done = 0;
      for (let at = 0; at < piece.length; ) {
        const end = longestAt(kept, piece, at)?.end;
        if (end === undefined) {
          at++;
          continue;
        }
        // What the user defined is merged with nothing.
        for (const id of idsOf(piece.slice(done, at))) ids.push(id);
        ids.push(all.get(piece.slice(at, end))!);
        done = end;
        at = end;
      }
      return [...ids, ...idsOf(piece.slice(done))];
    },
  };
}
