import type { UnigramModel } from "../files/tokenizer-file.js";
import { Refusal } from "../refusal.js";
import { buildTrie } from "../trie.js";
import type { TokenModel } from "./token-model.js";
import { byteIds } from "./vocabulary.js";

/** How much less than the least likely token an unknown character is worth. */
const unknownPenalty = 10;

/**
 * The likeliest way to write a piece in tokens (Viterbi), in time linear in its length: neighbouring unknown characters are
 * one unknown token, or with byte fallback their bytes.
 */
export function unigram({ vocab, unk_id, byte_fallback }: UnigramModel): TokenModel {
  const idOf = new Map(vocab.map(([token], id) => [token, id]));
  const scores = Float64Array.from(vocab, ([, score]) => score);
  const unknownScore =
    scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - unknownPenalty;
  // An empty token is never found in a text.
  const trie = buildTrie(
    vocab.map(([token]) => token),
    { lastOfEqual: true },
  );
  const unknown = unk_id ?? undefined;

  /** Where the last token of the best way to write the piece up to each place begins, and its id. */
  const bestPath = (piece: string): { starts: Int32Array; ids: Int32Array } => {
    const best = new Float64Array(piece.length + 1);
    const starts = new Int32Array(piece.length + 1).fill(-1);
    const ids = new Int32Array(piece.length + 1);
    const offer = (start: number, end: number, score: number, id: number | undefined) => {
      const total = score + best[start]!;
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
      if (!isKnown) offer(start, start + width, unknownScore, unknown);
      start += width;
    }
    return { starts, ids };
  };

  return {
    idOf: (token) => idOf.get(token),
    size: vocab.length,
    unknown,
    *tokens() {
      for (const [id, [token]] of vocab.entries()) yield [id, token];
    },
    ids(piece) {
      const { starts, ids } = bestPath(piece);
      const found: number[] = [];
      // From the end, bytes too.
      for (let end = piece.length; end > 0; ) {
        const id = ids[end]!;
        let start = starts[end]!;
        if (id !== unknown) found.push(id);
        else {
          while (start > 0 && ids[start] === unknown) start = starts[start]!;
          const text = piece.slice(start, end);
          const known = idOf.get(text);
          const bytes = known === undefined && byte_fallback === true ? byteIds(text, idOf) : undefined;
          for (const part of bytes?.reverse() ?? [known ?? unknown]) found.push(part);
        }
        end = start;
      }
      return found.reverse();
    },
  };
}
