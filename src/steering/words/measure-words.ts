import type { Corpus } from "../../corpus/corpus.js";
import { createProducts } from "../../engine/products.js";
import { type StoreTextOptions, textTokens } from "../../model/contexts/store-text.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import { transform } from "../../model/head/head-transform.js";
import type { Model } from "../../model/model.js";
import type { EditPlan } from "../plan/saved-plan.js";
import { productValues } from "../solve/problem/edited-tokens.js";
import { fittingText, type Subject } from "../solve/problem/fitting-text.js";
import { beginningsIn, type SplicedContexts, splicedContexts } from "./word-contexts.js";
import { isWordEdit, prefixesOf } from "./words-in-text.js";

/** What an edit does to a word of several tokens, and to its piece where the word is not. */
export interface MeasuredWord {
  readonly pieces: readonly { readonly id: number; readonly text: string }[];
  /** Which of them is edited, from 1. */
  readonly piece: number;
  /** Of the whole word, the product over its pieces: mean over places of a text. */
  readonly probability: { readonly before: number; readonly after: number };
  /** Of the piece in contexts that do not end in the pieces before it: its mean, and where it moved most. */
  readonly elsewhere: {
    readonly contexts: number;
    readonly probability: { readonly before: number; readonly after: number };
    readonly largest: { readonly before: number; readonly after: number };
  };
}

/** How much of a text words are put into. */
export interface MeasureWordOptions extends Omit<StoreTextOptions, "store" | "onProgress"> {
  /** Of the places. Default 0. */
  seed?: number | undefined;
  /** Places of the text. Default 1,000. */
  places?: number | undefined;
}

/** Tokens of the text before each place. */
const tokensBefore = 16;
/** Contexts before the word that tell what the piece does elsewhere. */
const keptBefore = 8;
/** Drawn apart from the places that edits are fitted to. */
const seedStep = 7919;

/**
 * Measures words under a head as it was and as it is: at places of a text drawn at random, each word is put behind what stands
 * before the place, and the probabilities of its pieces are multiplied.
 *
 *     const plan = await planEdits(model, ["@word:Voldemort=x0.01"]);
 *     const { change } = await steer(model, plan, { corpus: text });
 *     const [word] = await measureWords(model, change, plan, unseen);
 *
 * @param edited the change of the head, or a head that differs from the model's in rows and biases alone
 * @returns in the order of the plan; undefined for edits of tokens
 * @throws InputError if the text cannot be used
 */
export async function measureWords(
  model: Model,
  edited: Head | HeadChange,
  { edits }: Pick<EditPlan, "edits">,
  corpus: Corpus,
  { seed = 0, places = 1000, signal, ...reading }: MeasureWordOptions = {},
): Promise<(MeasuredWord | undefined)[]> {
  const words = edits.map((edit) => (isWordEdit(edit) ? edit : undefined));
  if (words.every((word) => word === undefined)) return words.map(() => undefined);
  const text = await textTokens(model, corpus, reading);
  const head: Head = isHead(edited) ? edited : changedHead(model.head, edited);
  const beginnings = beginningsIn(text, places, tokensBefore, seed + seedStep);
  const measured: (MeasuredWord | undefined)[] = [];
  for (const edit of words) {
    if (edit === undefined) {
      measured.push(undefined);
      continue;
    }
    const { pieces, piece } = edit.word;
    const ids = pieces.map(({ id }) => id);
    const splices = beginnings.map((before) => ({ before, sequence: ids }));
    const contexts = await splicedContexts(model, splices, prefixesOf(edit), keptBefore, signal);
    const subject = { engine: model.engine, contexts };
    const [before, after] = [
      await piecesProbabilities({ ...subject, head: model.head }, ids, signal),
      await piecesProbabilities({ ...subject, head }, ids, signal),
    ];
    const whole = (p: readonly Float64Array[]) => {
      let sum = 0;
      for (const end of contexts.last) sum += ids.reduce((product, _, k) => product * p[k]![end - ids.length + k]!, 1);
      return sum / places;
    };
    measured.push({
      ...{ pieces, piece },
      probability: { before: whole(before), after: whole(after) },
      elsewhere: elsewhere(before[piece - 1]!, after[piece - 1]!, ofText(contexts, ids.length)),
    });
    await contexts.release();
  }
  return measured;
}

/** The contexts of the text alone, without those of the word, that do not end in the pieces before the edited one. */
function ofText({ marked, last }: SplicedContexts, pieces: number): number[] {
  const inWord = new Uint8Array(marked.length);
  for (const end of last) inWord.fill(1, end + 1 - pieces, end + 1);
  return Array.from(marked.keys()).filter((t) => marked[t] === 0 && inWord[t] === 0);
}

const isHead = (edited: Head | HeadChange): edited is Head => "vocabSize" in edited;

function elsewhere(before: Float64Array, after: Float64Array, places: readonly number[]): MeasuredWord["elsewhere"] {
  const mean = (p: Float64Array) => places.reduce((sum, t) => sum + p[t]!, 0) / places.length;
  const moved = (t: number) => Math.abs(after[t]! - before[t]!);
  const most = places.reduce((best, t) => (moved(t) > moved(best) ? t : best), places[0]!);
  return {
    contexts: places.length,
    probability: { before: mean(before), after: mean(after) },
    largest: { before: before[most]!, after: after[most]! },
  };
}

/** Probability of each of some tokens in every context: [tokens] of [N]. */
async function piecesProbabilities(
  subject: Subject,
  ids: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Float64Array[]> {
  const { head, engine } = subject;
  const products = await createProducts(engine, head.hiddenSize);
  try {
    const text = await fittingText(subject, { signal });
    const { rows, biases } = await readHeadRows(head, ids);
    const values = productValues(text, products, rows, biases);
    const probabilities = ids.map(() => new Float64Array(text.count));
    await text.eachBlock(ids.length, async (block, start, end) => {
      const z = await values.of(block, start);
      const n = end - start;
      for (const [k, room] of probabilities.entries()) {
        for (let t = 0; t < n; t++) {
          const logit = transform(head.transform, z[k * n + t]!).value;
          room[start + t] = Math.exp(logit - text.logNormalizer[start + t]!);
        }
      }
    });
    return probabilities;
  } finally {
    await products.release();
  }
}
