import type { Random } from "../../linalg/random.js";
import type { Drawer, Drawn } from "../drawer.js";
import { largest, likeliestFirst, race, type Sampling, samplingProbabilities, softmax } from "../sampling.js";
import type { TextBanMethod } from "./ban.js";
import { newPrefix, type Prefix, prefixAfter, survivingWeights } from "./survival.js";

/** Follows a text and knows what it must not say. */
export interface Watch {
  /** Whether the text would say something banned with this token after it. */
  forbids(id: number): boolean;
  /** The same of several tokens. */
  forbidden(ids: readonly number[]): readonly number[];
  /** Whether the text ends with this token. */
  ends(id: number): boolean;
  push(id: number): void;
  /** Takes tokens back. */
  back(count: number): void;
}

/** How a text keeps clear of what its watch forbids. */
export interface BannedDrawing {
  readonly method: TextBanMethod;
  /** Tokens that `aligned` takes back at most. */
  readonly lag: number;
  /** Texts that `reject` begins at most. */
  readonly tries: number;
  /**
   * How many tokens `aligned` may draw again from the beginning of the lag, by tokens written: below that it is exact but for
   * what comes after the lag. 0 is the paper's algorithm alone.
   */
  readonly redraws: number;
}

/** With a phrase once in 200 tokens and a lag of 32 half of it is used; it keeps calls per token below 1.5. */
export const defaultRedraws = 0.4;

/** After so many errors drawn after one prefix its likeliest tokens are looked at, after as many more those next to them. */
const errorsBeforeSearch = 8;
const searchedFirst = 64;

export function bannedDrawer(watch: Watch, drawing: BannedDrawing, sampling: Sampling, random: Random): Drawer {
  return drawing.method === "reject"
    ? rejectingDrawer(watch, drawing.tries, sampling, random)
    : aligningDrawer(watch, drawing.method === "mask" ? { lag: 0, redraws: 0 } : drawing, sampling, random);
}

/** Rejection sampling: what says something banned is begun again. Exact. */
function rejectingDrawer(watch: Watch, tries: number, sampling: Sampling, random: Random): Drawer {
  let first: Float64Array | undefined;
  let length = 0;
  let withdrawn = 0;
  let rejected = 0;
  return {
    get withdrawn() {
      return withdrawn;
    },
    draw(z) {
      let p = samplingProbabilities(z, sampling);
      first ??= p;
      let back = 0;
      for (;;) {
        const id = race(p, random);
        if (!watch.forbids(id)) {
          watch.push(id);
          length++;
          return { back, id, settled: 0 };
        }
        withdrawn += length + 1;
        back += length;
        watch.back(length);
        length = 0;
        p = first;
        if (++rejected >= tries) return { back, id: undefined, settled: 0 };
      }
    },
  };
}

/**
 * Approximately Aligned Decoding (Melcer et al. 2024, arXiv 2410.01103, algorithm 4) on the last `lag` tokens.
 *
 * P^ is the distribution of texts without the errors found so far: P(x | prefix) times the share of what begins with prefix
 * and x that is left, divided by the share left of the prefix. A text that completes an error is a draft of P^; with the new
 * error out of it, P^'. Token by token it stays with probability min(1, P^' / old), and the first one that does not gives
 * way to one drawn from P^' without it, which is the normalised max(0, P^' - P^): the error's own prefixes are all that
 * became less probable. See docs/phrases.md for what `old` is.
 */
function aligningDrawer(
  watch: Watch,
  { lag, redraws }: Pick<BannedDrawing, "lag" | "redraws">,
  sampling: Sampling,
  random: Random,
): Drawer {
  const greedy = sampling.temperature === 0;
  const pick = (weights: Float64Array) => (greedy ? largest(weights) : race(weights, random));
  const sum = (weights: Float64Array) => (greedy ? weights[largest(weights)]! : total(weights));
  const ids: number[] = [];
  /** Of the token after each prefix from the root on. */
  const rows: Float64Array[] = [];
  let root = newPrefix();
  /** Tokens before the root: they stay. */
  let settled = 0;
  let withdrawn = 0;

  /** The prefixes from the root to the whole text. */
  function path(): Prefix[] {
    const prefixes = [root];
    for (const id of ids.slice(settled)) prefixes.push(prefixAfter(prefixes.at(-1)!, id));
    return prefixes;
  }

  function forbid(prefix: Prefix, row: Float64Array, id: number): void {
    prefixAfter(prefix, id).survival = 0;
    if (++prefix.errors % errorsBeforeSearch !== 0) return;
    const end = searchedFirst * errorsBeforeSearch ** (prefix.errors / errorsBeforeSearch - 1);
    const begin = prefix.errors === errorsBeforeSearch ? 0 : end / errorsBeforeSearch;
    const possible = Array.from(likeliestFirst(row).subarray(begin, end)).filter((other) => row[other]! > 0);
    for (const other of watch.forbidden(possible)) prefixAfter(prefix, other).survival = 0;
  }

  /**
   * How the draft is gone over: as long as few tokens were taken back, a draft that failed counts as certain to be what it is,
   * and it is begun again at the root; then it counts as drawn from P^; and if that takes too long, it all stays.
   */
  function oldOf(): "certain" | "drawn" | "kept" {
    if (withdrawn + ids.length - settled <= redraws * (10 * lag + ids.length)) return "certain";
    if (greedy || withdrawn > 16 * lag + 4 * ids.length) return "kept";
    return "drawn";
  }

  /** Takes a draft back as far as it does not stay. @returns the token that gives way, undefined if all stay */
  function goOver(prefixes: readonly Prefix[]): number | undefined {
    const old = oldOf();
    const before = prefixes.map(({ survival }) => survival);
    for (let i = prefixes.length - 1; i >= 0; i--) {
      prefixes[i]!.survival = sum(survivingWeights(rows[i]!, prefixes[i]!));
    }
    const after = prefixes.map(({ survival }) => survival);
    const stays = (i: number, id: number) => {
      if (old === "kept") return after[i + 1]! > 0;
      if (greedy) return largest(survivingWeights(rows[i]!, prefixes[i]!)) === id;
      const rest = after[i + 1]! / after[i]!;
      return random() < (old === "certain" ? rest * rows[i]![id]! : rest / (before[i + 1]! / before[i]!));
    };
    for (let i = 0; i + 1 < prefixes.length; i++) {
      const id = ids[settled + i]!;
      if (stays(i, id)) continue;
      takeBack(settled + i);
      return id;
    }
    return undefined;
  }

  function takeBack(length: number): void {
    watch.back(ids.length - length);
    withdrawn += ids.length - length;
    ids.length = length;
    rows.length = length - settled + 1;
  }

  function moveRoot(): void {
    while (ids.length - settled > lag) {
      root = prefixAfter(root, ids[settled++]!);
      rows.shift();
    }
  }

  return {
    get withdrawn() {
      return withdrawn;
    },
    draw(z): Drawn {
      const before = ids.length;
      rows.push(greedy ? relativeToLikeliest(z) : samplingProbabilities(z, sampling));
      moveRoot();
      let excluded: number | undefined;
      for (;;) {
        const prefixes = path();
        const [prefix, row] = [prefixes.at(-1)!, rows.at(-1)!];
        let weights = survivingWeights(row, prefix);
        if (excluded !== undefined) {
          weights = weights.slice();
          weights[excluded] = 0;
        }
        const id = pick(weights);
        if (weights[id]! > 0) {
          if (!watch.forbids(id)) {
            // An end that nothing else was left beside is not the text's own.
            if (watch.ends(id) && prefix.errors > 0 && sum(weights) === weights[id]) {
              return { back: before - ids.length, id: undefined, settled };
            }
            watch.push(id);
            ids.push(id);
            return { back: before - (ids.length - 1), id, settled };
          }
          if (lag > 0) withdrawn++;
          forbid(prefix, row, id);
        } else if (excluded !== undefined) {
          excluded = undefined;
          continue;
        } else if (prefixes.length === 1) {
          return { back: before - ids.length, id: undefined, settled };
        }
        excluded = goOver(prefixes);
      }
    },
  };
}

function total(weights: Float64Array): number {
  let sum = 0;
  for (const weight of weights) sum += weight;
  return sum;
}

/** p divided by the largest. */
function relativeToLikeliest(z: Float32Array): Float64Array {
  const p = softmax(z);
  const most = p[largest(p)]!;
  return p.map((value) => value / most);
}
