import { gramSession } from "../engine/gram-session.js";
import type { BeforeAfter } from "../measures/before-after.js";
import { mauveFromFeatures } from "../measures/mauve.js";
import { distinct, repetition } from "../measures/text.js";
import type { Model } from "../model/model.js";
import type { Matrix } from "../tensor/matrix.js";
import type { Decoder } from "./decoder.js";

/** How two models' texts differ as a whole. */
export interface TextMeasures {
  /** MAUVE of the edited model's texts against the original's; undefined where there are too few texts. */
  readonly mauve: number | undefined;
  /** The same between two sets of the original's own texts: what no edit can be expected to pass. */
  readonly mauveOfOriginal: number | undefined;
  /** Share of different n-grams, n = 1, 2, 3. */
  readonly distinct: readonly BeforeAfter[];
  /** Share of 4-grams that had occurred before in the same text. */
  readonly repetition: BeforeAfter;
}

type Texts = readonly (readonly number[])[];

/** MAUVE clusters texts; of fewer than this it says nothing. */
const fewestTexts = 20;
const textsPerRun = 16;

/** @param texts token ids of what was written; openings: what each began with */
export async function textMeasures(
  decoder: Decoder,
  original: Model,
  texts: {
    before: Texts;
    after: Texts;
    /** A second set of the original's own. */
    control: Texts;
    openings: Texts;
    endOfText: ReadonlySet<number>;
    signal?: AbortSignal | undefined;
  },
): Promise<TextMeasures> {
  const { before, after, control } = texts;
  const both = (measure: (texts: Texts) => number): BeforeAfter => ({ before: measure(before), after: measure(after) });
  return {
    ...(before.length < fewestTexts
      ? { mauve: undefined, mauveOfOriginal: undefined }
      : await mauves(decoder, original, texts, { before, after, control })),
    distinct: [1, 2, 3].map((n) => both((of) => distinct(of, n))),
    repetition: both((of) => repetition(of, 4)),
  };
}

async function mauves(
  decoder: Decoder,
  original: Model,
  { openings, endOfText, signal }: Parameters<typeof textMeasures>[2],
  { before, after, control }: { before: Texts; after: Texts; control: Texts },
): Promise<{ mauve: number; mauveOfOriginal: number }> {
  const features = (texts: Texts) => lastHiddenStates(decoder, original, whole(openings, texts, endOfText), signal);
  const reference = await features(before);
  const { gram, release } = await gramSession(original.engine);
  try {
    const against = async (texts: Texts) => (await mauveFromFeatures(reference, await features(texts), { gram })).mauve;
    return { mauve: await against(after), mauveOfOriginal: await against(control) };
  } finally {
    await release();
  }
}

/** Texts with what they began with, without the token that ends them. */
function whole(openings: Texts, texts: Texts, endOfText: ReadonlySet<number>): Texts {
  return texts.map((ids, index) => [
    ...openings[index]!,
    ...(endOfText.has(ids.at(-1) ?? -1) ? ids.slice(0, -1) : ids),
  ]);
}

/** What the model's head sees at each text's last token, [texts, d]: of long texts the last positions are read. */
async function lastHiddenStates(
  decoder: Decoder,
  { hiddenSize, maxPositions }: Model,
  texts: Texts,
  signal: AbortSignal | undefined,
): Promise<Matrix> {
  const data = new Float32Array(texts.length * hiddenSize);
  const perRun = decoder.dependsOnLength ? 1 : textsPerRun;
  for (let start = 0; start < texts.length; start += perRun) {
    const some = texts.slice(start, start + perRun).map((ids) => (maxPositions ? ids.slice(-maxPositions) : ids));
    data.set((await decoder.read(some, signal)).hidden, start * hiddenSize);
  }
  return { rows: texts.length, columns: hiddenSize, data };
}
