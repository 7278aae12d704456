import type { UnigramModel } from "../files/tokenizer-file.js";
import { Refusal } from "../refusal.js";
import { buildTrie } from "../trie.js";
import type { TokenModel } from "./token-model.js";
import { byteIds } from "./vocabulary.js";

/** How much less than the least likely token an unknown character is worth. */
const unknownPenalty = 10;

/** Tokens and how likely they are. */
interface Likelihoods {
  /** Empty for those that are never found in a text. */
  tokens: readonly string[];
  /** In float64, or in the float32 that SentencePiece adds them up in. */
  scores: Float64Array | Float32Array;
  unknownScore: number;
  unknown: number | undefined;
}

/**
 * The likeliest way to write a piece in tokens (Viterbi), in time linear in its length.
 * @returns what gives the ids of a piece, its neighbouring unknown characters together as what `unknownIds` gives for them
 * @throws Refusal if a piece has unknown characters and there is no token for them
 */
export function likeliestIds({ tokens, scores, unknownScore, unknown }: Likelihoods) {
  const trie = buildTrie(tokens, { lastOfEqual: true });
  const single = scores instanceof Float32Array;
  const rounded = single ? Math.fround : (value: number) => value;

  /** Where the last token of the best way to write the piece up to each place begins, and its id. */
  const bestPath = (piece: string): { starts: Int32Array; ids: Int32Array } => {
    const best = new Float64Array(piece.length + 1);
    const starts = new Int32Array(piece.length + 1).fill(-1);
    const ids = new Int32Array(piece.length + 1);
    const offer = (start: number, end: number, score: number, id: number | undefined) => {
      const total = rounded(score + best[start]!);
      if (starts[end] !== -1 && total <= best[end]!) return;
      if (id === undefined) throw new Refusal("model.unk_id", "is missing, and a text has no other token for it");
      best[end] = total;
      starts[end] = start;
      ids[end] = id;
    };
    let start = 0;
    while (start < piece.length) {
      const width = piece.codePointAt(start)! > 0xffff ? 2 : 1;
      let isKnown = false;
      for (let node = 0, end = start; end < piece.length; ) {
        node = trie.next(node, piece.charCodeAt(end++));
        if (node === 0) break;
        const id = trie.ending(node);
        if (id === -1) continue;
        offer(start, end, scores[id]!, id);
        isKnown ||= end === start + width;
      }
      if (!isKnown) offer(start, start + width, rounded(unknownScore), unknown);
      start += width;
    }
    return { starts, ids };
  };

  return (piece: string, unknownIds: (text: string) => readonly number[]): number[] => {
    const { starts, ids } = bestPath(piece);
    const found: number[] = [];
    // From the end, unknown ids too.
    for (let end = piece.length; end > 0; ) {
      const id = ids[end]!;
      let start = starts[end]!;
      if (id !== unknown) found.push(id);
      else {
        while (start > 0 && ids[start] === unknown) start = starts[start]!;
        for (const part of unknownIds(piece.slice(start, end)).toReversed()) found.push(part);
      }
      end = start;
    }
    return found.reverse();
  };
}

/** The Unigram model of a tokenizer.json: with byte fallback unknown characters are their bytes. */
export function unigram({ vocab, unk_id, byte_fallback }: UnigramModel): TokenModel {
  const idOf = new Map(vocab.map(([token], id) => [token, id]));
  const scores = Float64Array.from(vocab, ([, score]) => score);
  const least = scores.reduce((lowest, score) => Math.min(lowest, score), Number.POSITIVE_INFINITY);
  const unknown = unk_id ?? undefined;
  const likeliest = likeliestIds({
    ...{ tokens: vocab.map(([token]) => token), scores, unknown },
    unknownScore: least - unknownPenalty,
  });
  const unknownIds = (text: string): readonly number[] => {
    const known = idOf.get(text);
    if (known !== undefined) return [known];
    return (byte_fallback === true ? byteIds(text, idOf) : undefined) ?? [unknown!];
  };
  return {
    idOf: (token) => idOf.get(token),
    size: vocab.length,
    unknown,
    *tokens() {
      for (const [id, [token]] of vocab.entries()) yield [id, token];
    },
    ids: (piece) => likeliest(piece, unknownIds),
  };
}
