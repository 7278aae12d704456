import { gramSession } from "../../engine/gram-session.js";
import { createProducts } from "../../engine/products.js";
import type { ContextRows, StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import { once } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import type { Probes } from "../probes/probe-contexts.js";
import type { WeighedContexts } from "../solve/rows/nearest-edits.js";
import { meanMark, type SolvedWord, solveWord, type WordContexts, type WordProblem } from "./solve-word.js";
import { beginningsIn, endsOf, splicedContexts } from "./word-contexts.js";
import { prefixesOf, type WordEdit } from "./words-in-text.js";

/** Places of the text that a word is put into for the fit, and as many with parts of it. */
const places = 768;
const partPlaces = 256;
/** Tokens before them: enough for a context, and fewer in some, down to none, where a text begins with the word. */
const tokensBefore = 16;
const shortened = 1 / 4;
const seed = 0;
/** How much contexts that the word was put into count where it is not yet begun or is another one. */
const splicedWeight = 0.1;
/** How probes count, and the contexts of a guard, beside those of the text. */
const probeWeight = 0.1;
const guardWeight = 0.1;

/** A text, and contexts that no text holds. */
export interface WordTexts {
  readonly contexts: StoredContexts;
  readonly probes: Probes;
}

/** What words are fitted to beside the text and what they were put into. */
export interface WordFit {
  readonly lambda: number;
  /** Solve the lengths so that the targets hold. */
  readonly calibrate: boolean;
  /** Contexts without the words: tokens that the text lacks. */
  readonly guard: ContextRows | undefined;
  /** Contexts that are to stay as they are, weighed for each of the words. */
  readonly alsoRight: WeighedContexts | undefined;
}

/** Solves words, each by itself, since they move logits in different contexts. @param head that their edits are added to */
export type WordFitter = (head: Head, fit: WordFit) => Promise<SolvedWord[]>;

/** What solves words of several tokens on one text, which they are put into once. */
export function wordFitter(
  model: Model,
  edits: readonly WordEdit[],
  texts: WordTexts,
  signal: AbortSignal | undefined,
): WordFitter {
  const { contexts } = texts;
  const putInto = edits.map((edit) => once(() => madeContexts(model, prefixesOf(edit), texts, signal)));
  return async (head, { lambda, calibrate, guard, alsoRight }) => {
    const products = await createProducts(model.engine, model.hiddenSize);
    const { gram, release } = await gramSession(model.engine);
    const solved: SolvedWord[] = [];
    try {
      for (const [j, edit] of edits.entries()) {
        const parts = [...(await putInto[j]!())];
        if (guard) parts.push({ contexts: guard, weight: guardWeight });
        const weights = alsoRight?.weights[j];
        if (alsoRight && weights) {
          parts.push({ contexts: alsoRight.contexts, weight: weights.map((weight) => weight / contexts.count) });
        }
        const problem: WordProblem = {
          ...{ id: edit.tokens[0]!.id, target: edit.target as WordProblem["target"] },
          ...{ lambda: edit.lambda ?? lambda, calibrate, contexts: parts },
        };
        solved.push(await solveWord({ head, engine: model.engine }, problem, { products, gram }, { signal }));
      }
      return solved;
    } finally {
      await Promise.all([products.release(), release()]);
    }
  };
}

/** The contexts of the text and of the probes, those that a word was put into, and those that parts of its beginning were. */
async function madeContexts(
  model: Model,
  prefixes: readonly (readonly number[])[],
  { contexts, probes }: WordTexts,
  signal: AbortSignal | undefined,
): Promise<WordContexts[]> {
  const { whole, parts } = splicesOf(prefixes, contexts);
  const spliced = await splicedContexts(model, whole, prefixes, 1, signal);
  const [main] = prefixes as [readonly number[]];
  // The target is for the word as it is spelled inside a text.
  for (const [i, { before, sequence }] of whole.entries()) {
    if (sequence === main && before.length === tokensBefore) spliced.marked[spliced.last[i]!] = meanMark;
  }
  const text = { contexts, marked: endsOf(contexts, prefixes), weight: 1 };
  for (const [t, isMain] of endsOf(contexts, [main]).entries()) if (isMain) text.marked[t] = meanMark;
  const made = [
    ...[text, { contexts: probes, marked: probeEnds(probes, prefixes), weight: probeWeight }],
    { contexts: spliced, marked: spliced.marked, weight: splicedWeight },
  ];
  if (parts.length === 0) return made;
  const cut = await splicedContexts(model, parts, prefixes, 0, signal);
  return [...made, { contexts: cut, marked: cut.marked, weight: splicedWeight }];
}

function probeEnds(probes: Probes, prefixes: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from({ length: probes.count }, (_, index) => {
    const ids = probes.idsOf(index);
    return endsOf({ tokenIds: ids, windowStarts: Int32Array.of(0, ids.length) }, prefixes).at(-1) ?? 0;
  });
}

/** The pieces before the edited one behind places of the text, in every spelling; and parts of them, which are no such word. */
function splicesOf(prefixes: readonly (readonly number[])[], text: StoredContexts) {
  const [main] = prefixes as [readonly number[]];
  const cut = [main.slice(1), main.slice(-1)].filter((part) => part.length > 0 && part.length < main.length);
  const beginnings = beginningsIn(text, places + cut.length * partPlaces, tokensBefore, seed, shortened);
  // Half of them as the word itself is spelled, the others share the rest.
  const spelled = (i: number) => (i % 2 === 0 ? main : prefixes[((i - 1) / 2) % prefixes.length]!);
  return {
    whole: beginnings.slice(0, places).map((before, i) => ({ before, sequence: spelled(i) })),
    parts: beginnings.slice(places).map((before, i) => ({ before, sequence: cut[i % cut.length]! })),
  };
}
