import { join } from "node:path";
import type { Corpus, StoredIds } from "../../corpus/corpus.js";
import { windowCount } from "../../corpus/tokens/stored-windows.js";
import { type CollectTextOptions, collectText } from "../../encoding/collect-text.js";
import { InputError } from "../../errors.js";
import { beginOfTextIds } from "../../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../../model/contexts/context.js";
import { isTransformed } from "../../model/head/head.js";
import { optionalTokenizer } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import type { OnRunEvent } from "../../runs/run-events.js";
import { type PartOfText, partWindows } from "../../statistics/parts.js";
import type { StatisticsSizes } from "../../statistics/statistics-file.js";
import { modelHash } from "./model-hash.js";
import {
  type PartsIdentity,
  partFileName,
  partsIdentity,
  type ReadPart,
  readPart,
  readPartRecord,
  writePart,
} from "./part-file.js";
import { requireSameAnalysis } from "./same-analysis.js";

/** Which analysis parts are of: how its text is cut and how much of it is read. */
export type PartsOptions = Pick<CollectTextOptions, "contextLength" | "tokens" | "beginOfText" | "signal"> & {
  readonly onEvent?: OnRunEvent | undefined;
};

/** What became of one part. */
export interface CollectedPart {
  readonly path: string;
  readonly part: number;
  readonly parts: number;
  /** Windows of it, and of the whole text. */
  readonly windows: { readonly first: number; readonly end: number; readonly all: number };
  readonly contexts: number;
  /** Whether it was there already, whole and of the same analysis. */
  readonly found: boolean;
}

/** Sizes of the sums of a model's head. */
export function statisticsSizes({ head }: Model): StatisticsSizes {
  const { vocabSize, hiddenSize } = head;
  return { vocabSize, hiddenSize, transformed: isTransformed(head) };
}

/**
 * What all parts of an analysis have in common.
 * @throws InputError if the text is not one that can be read from anywhere, or the model cannot take its windows
 */
export async function identifyParts(
  model: Model,
  corpus: Corpus,
  parts: number,
  { contextLength: asked, tokens, beginOfText = "auto" }: PartsOptions = {},
): Promise<PartsIdentity> {
  const stored = requireStored(corpus);
  const contextLength = contextLengthFor([model], asked, corpus);
  const begin =
    beginOfText === "auto" ? stored.beginOfText : beginOfTextIds(model, await optionalTokenizer(model), beginOfText);
  const windows = windowCount(stored, { contextLength, beginOfText: begin }, tokens);
  return partsIdentity({
    model: await modelHash(model),
    corpus: stored.sha256,
    contextLength,
    beginOfText: [...begin],
    tokens: tokens ?? null,
    windows,
    parts,
  });
}

function requireStored({ stored, files }: Corpus): StoredIds {
  if (stored) return stored;
  const names = files.map(({ name }) => name).join(", ");
  throw new InputError(
    names,
    "cannot be read from anywhere: write its ids with unembed tokenize, and give that folder",
  );
}

/**
 * Computes one part of an analysis and writes it into the folder of parts; one that lies there whole is kept.
 * @throws InputError if the model, the text or the folder cannot be used
 * @throws the signal's reason when it is aborted
 */
export async function collectPart(
  model: Model,
  corpus: Corpus,
  { part, parts }: PartOfText,
  folder: string,
  options: PartsOptions = {},
): Promise<CollectedPart> {
  const { signal, onEvent } = options;
  const identity = await identifyParts(model, corpus, parts, options);
  const { first, end } = partWindows(identity.windows, { part, parts });
  const path = join(folder, partFileName({ part, parts }));
  const about = { path, part, parts, windows: { first, end, all: identity.windows } };
  const kept = await keptPart(path, part, identity, statisticsSizes(model));
  if (kept) return { ...about, contexts: kept.statistics.contexts, found: true };
  const total = (end - first) * identity.contextLength;
  const { statistics, text } = await collectText(model, corpus, {
    contextLength: identity.contextLength,
    ...{ tokens: options.tokens, beginOfText: options.beginOfText, signal },
    firstWindow: first,
    endWindow: end,
    onProgress: ({ contexts }) =>
      onEvent?.({ type: "progress", phase: `part ${part} of ${parts}`, done: contexts, total, unit: "tokens" }),
  });
  await writePart(folder, { identity, part, text: { ...text, contextLength: identity.contextLength } }, statistics);
  return { ...about, contexts: statistics.contexts, found: false };
}

/**
 * A part that lies in its place already.
 * @returns undefined if there is none, or one that is damaged and has to be computed again
 * @throws InputError if it is a whole one of another analysis
 */
export async function keptPart(
  path: string,
  part: number,
  identity: PartsIdentity,
  sizes: StatisticsSizes,
): Promise<ReadPart | undefined> {
  const record = await readPartRecord(path).catch(() => undefined);
  if (record === undefined) return undefined;
  requireSameAnalysis(path, record.identity, identity);
  const kept = await readPart(path, sizes).catch(() => undefined);
  return kept?.record.part === part ? kept : undefined;
}
