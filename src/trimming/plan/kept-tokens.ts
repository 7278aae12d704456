import { InputError } from "../../errors.js";
import type { TrimmableTokenizer } from "../tokenizer/trimmable-tokenizer.js";
import type { TokenUsage } from "./token-usage.js";

/** How much stays, where tokens are ranked by how much they are used. */
export type RankedAmount =
  /** Tokens at most, those that always stay included. */
  | { readonly maxVocab: number }
  /** As few as have this share of the mean output probability, in (0, 1]. */
  | { readonly keepMass: number };

/** Why the tokens of a plan stay, in numbers of tokens; each is counted once, where it comes first. */
export interface KeptCounts {
  /** Special and added tokens, bytes, and what configs name. */
  readonly always: number;
  /** What was asked for. */
  readonly chosen: number;
  /** What those are merged from. */
  readonly parts: number;
}

/** Tokens that stay. */
export interface KeptTokens {
  /** Ascending. */
  readonly ids: Int32Array;
  readonly counts: KeptCounts;
}

/** A set of tokens that grows, each with all that it needs. */
interface Growing {
  readonly kept: Set<number>;
  /** What would come along. */
  cost(id: number): number;
  add(id: number): void;
  result(): KeptTokens;
}

function growing({ rules, referenced, tokens }: TrimmableTokenizer, named: readonly number[]): Growing {
  const kept = new Set<number>();
  const needed = new Map<number, readonly number[]>();
  const needs = (id: number) => {
    const known = needed.get(id) ?? rules.needs(id);
    needed.set(id, known);
    return known;
  };
  const grow = (ids: Iterable<number>) => {
    for (const id of ids) if (tokens.has(id)) for (const part of needs(id)) kept.add(part);
  };
  grow([...rules.always, ...referenced, ...named]);
  // A row of padding that a config names, to pad with or to stop at, is no token and still is meant: the id has to follow it.
  for (const id of named) kept.add(id);
  const always = kept.size;
  let chosen = 0;
  return {
    kept,
    cost: (id) => needs(id).filter((part) => !kept.has(part)).length,
    add(id) {
      if (!kept.has(id)) chosen++;
      grow([id]);
    },
    result: () => ({
      ids: Int32Array.from(kept).sort(),
      counts: { always, chosen, parts: kept.size - always - chosen },
    }),
  };
}

/**
 * The tokens of a set, and what they need.
 * @param named ids that a config names
 */
export function keptSet(tokenizer: TrimmableTokenizer, named: readonly number[], wanted: Iterable<number>): KeptTokens {
  const growth = growing(tokenizer, named);
  for (const id of wanted) growth.add(id);
  return growth.result();
}

/**
 * The most used tokens. Rank is by the mean output probability and the share of the text together: what the model never says
 * but people type must stay readable.
 * @throws InputError if the tokens that always stay are more than is asked for, or the share is none
 */
export function keptByUse(
  tokenizer: TrimmableTokenizer,
  named: readonly number[],
  usage: TokenUsage,
  amount: RankedAmount,
): KeptTokens {
  const growth = growing(tokenizer, named);
  const ranked = rankedByUse(usage).filter((id) => tokenizer.tokens.has(id));
  if ("maxVocab" in amount) {
    const { maxVocab } = amount;
    if (growth.kept.size > maxVocab) {
      throw new InputError(
        "maxVocab",
        `is ${maxVocab}; ${growth.kept.size} tokens always stay (special ones, bytes, alphabet)`,
      );
    }
    for (const id of ranked) {
      if (growth.kept.size === maxVocab) break;
      if (!growth.kept.has(id) && growth.kept.size + growth.cost(id) <= maxVocab) growth.add(id);
    }
    return growth.result();
  }
  const { keepMass } = amount;
  if (!(keepMass > 0 && keepMass <= 1))
    throw new InputError("keepMass", `is ${keepMass}; a share above 0, up to 1, is wanted`);
  const { meanProbability } = usage;
  const all = ranked.reduce((sum, id) => sum + meanProbability[id]!, 0);
  let mass = 0;
  // Goes on where it stopped: a set is walked in the order in which it grows, parts of a token before or after it.
  const added = growth.kept.values();
  const count = () => {
    for (let left = growth.kept.size - counted; left > 0; left--, counted++)
      mass += meanProbability[added.next().value!]!;
  };
  let counted = 0;
  count();
  for (const id of ranked) {
    if (mass >= keepMass * all) break;
    growth.add(id);
    count();
  }
  return growth.result();
}

/** Ids by falling use; ties by id. */
export function rankedByUse({ meanProbability, counts, contexts }: TokenUsage): number[] {
  const use = meanProbability.map((alpha, id) => alpha + counts[id]! / contexts);
  return Array.from(use.keys()).sort((a, b) => use[b]! - use[a]! || a - b);
}
