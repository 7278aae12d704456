import { type MergeTable, mergeAll, mergeTable } from "../../corpus/tokenizer/models/merges.js";
import { InputError } from "../../errors.js";
import {
  type BytePieces,
  byteFallbackTokens,
  characterTokens,
  type TokenizerModel,
  tokenIdsOf,
  trimmedVocabulary,
  type VocabularyRules,
} from "./vocabulary-rules.js";

/** Longer tokens are kept as they are, and not followed through their merges: the ways of all are remembered. */
const longestFollowed = 2048;

type Pair = readonly [left: string, right: string];

/**
 * Byte-pair encoding. A text is read by applying the merge of lowest rank again and again. Let a token stay together with every
 * symbol on the way on which its own characters become it: then any text whose tokens all stay is read as before. Each merge
 * that made those tokens stays, and of the merges that are left the lowest is the one that was the lowest of all.
 * @param place the file, for messages
 * @throws InputError if a merge names a token that isn't there, or leads back to one of its sides
 */
export function bpeRules(place: string, model: TokenizerModel, bytes: BytePieces): VocabularyRules {
  const vocab = tokenIdsOf(model);
  for (const field of ["continuing_subword_prefix", "end_of_word_suffix"] as const) {
    if (typeof model[field] === "string" && model[field] !== "") {
      throw new InputError(place, `field "model.${field}" is set: trimming such a vocabulary is not supported`);
    }
  }
  const listed = (model.merges as readonly (string | Pair)[]).filter((merge) => !isVersion(merge));
  const pairs = listed.map(pairOf);
  checkPairs(place, pairs, vocab);
  const merges = mergeTable(pairs, vocab, "");
  const unknown = typeof model.unk_token === "string" ? vocab.get(model.unk_token) : undefined;
  const fallback = bytes.fallback ? byteFallbackTokens(vocab) : [];
  const everyByte = fallback.length === 256;
  const always = new Set([
    ...(unknown === undefined ? [] : [unknown]),
    ...fallback,
    ...(everyByte ? [] : characterTokens(vocab)),
  ]);
  const byId = new Map([...vocab].map(([token, id]) => [id, token]));
  const way = (id: number): number[] | undefined => {
    const token = byId.get(id);
    return token === undefined ? undefined : symbolsOnTheWay(token, merges, vocab);
  };
  const keepsMerge = (left: string, right: string, stays: (id: number) => boolean): boolean =>
    [left, right, left + right].every((token) => {
      const id = vocab.get(token);
      return id !== undefined && stays(id);
    });
  return {
    always,
    readsEverything: everyByte || (bytes.alphabet && always.size >= 256),
    needs: (id) => way(id) ?? [id],
    reachable: (id) => model.ignore_merges === true || way(id) !== undefined,
    keepsMerge,
    trimmed(newIds) {
      const stays = (id: number) => newIds.has(id);
      const left = listed.filter((_, index) => keepsMerge(...pairs[index]!, stays));
      return { ...model, vocab: trimmedVocabulary(vocab, newIds), merges: left };
    },
  };
}

/** A first line of the file that the merges were taken from. */
const isVersion = (merge: string | Pair): boolean => typeof merge === "string" && merge.startsWith("#version");

function pairOf(merge: string | Pair): Pair {
  if (typeof merge !== "string") return merge;
  const space = merge.indexOf(" ");
  return [merge.slice(0, space), merge.slice(space + 1)];
}

/** @throws InputError if a merge names a token that isn't there, or leads back to one of its sides */
function checkPairs(place: string, pairs: readonly Pair[], vocab: ReadonlyMap<string, number>): void {
  for (const [rank, [left, right]] of pairs.entries()) {
    const field = `field "model.merges.${rank}"`;
    if (left === "" || right === "")
      throw new InputError(place, `${field} joins nothing to a token: it leads back to it`);
    for (const token of [left, right, left + right]) {
      if (vocab.has(token)) continue;
      throw new InputError(place, `${field} names ${JSON.stringify(token.slice(0, 40))}, which is no token`);
    }
  }
}

/** Ids of all symbols that a token's characters pass through on their way to it; undefined if they never become it. */
function symbolsOnTheWay(token: string, merges: MergeTable, vocab: ReadonlyMap<string, number>): number[] | undefined {
  if (token.length > longestFollowed) return undefined;
  const characters = Array.from(token, (character) => vocab.get(character));
  if (!characters.every((id) => id !== undefined)) return undefined;
  const passed = new Set(characters);
  const followed: MergeTable = {
    rank: merges.rank,
    merged(left, right) {
      const id = merges.merged(left, right);
      passed.add(id);
      return id;
    },
  };
  return mergeAll(characters, followed).length === 1 ? [...passed] : undefined;
}
