import { InputError } from "../../errors.js";
import type { Frequencies } from "../dynamics.js";

/** Counts, and which of them go into a probe. */
export interface CountsInput {
  /** Counts by token id. */
  counts: Float64Array;
  /** Where they come from, for messages. */
  source: string;
  /** Rows of E. */
  vocabSize: number;
  /** Leave tokens that never occur out, instead of counting everything once more than it occurs. */
  seenOnly: boolean;
  /** Whether the tokenizer has a token for the id; left out, every id has one. */
  produces?: ((id: number) => boolean) | undefined;
}

/** Rows are added to a vocabulary to make its size a multiple of at most 1,024 (tensor-parallel padding). */
const mostPaddingRows = 1024;
const mostPaddingShare = 0.1;

/**
 * -log frequency of the tokens, and which rows of E have one. Rows behind the end of the counts, and rows whose id the
 * tokenizer never produces and nobody counted, are padding and left out.
 *
 * Add-one: f_w = (c_w + 1) / (sum c + V), over the V tokens that are not padding.
 * @throws InputError if counts and vocabulary do not belong together, or all counts are zero
 */
export function countFrequencies({ counts, source, vocabSize, seenOnly, produces }: CountsInput): Frequencies {
  checkCounts(counts, source, vocabSize);
  const isToken = (id: number) => id < counts.length && (counts[id]! > 0 || produces === undefined || produces(id));
  const ids = Array.from({ length: vocabSize }, (_, id) => id).filter(isToken);
  const unseen = ids.filter((id) => counts[id] === 0).length;
  let totalCount = 0;
  for (const count of counts) totalCount += count;
  if (totalCount === 0) throw new InputError(source, "all counts are zero: there are no frequencies to regress on");
  const tokenIds = Int32Array.from(seenOnly ? ids.filter((id) => counts[id]! > 0) : ids);
  const observed = Float64Array.from(tokenIds, (id) =>
    seenOnly ? -Math.log(counts[id]! / totalCount) : -Math.log((counts[id]! + 1) / (totalCount + ids.length)),
  );
  return {
    tokenIds,
    observed,
    kind: seenOnly ? "seen-only" : "add-one",
    source,
    totalCount,
    vocabSize,
    paddingRows: vocabSize - ids.length,
    unseen,
  };
}

function checkCounts(counts: Float64Array, source: string, vocabSize: number): void {
  for (let id = vocabSize; id < counts.length; id++) {
    if (counts[id] === 0) continue;
    throw new InputError(
      source,
      `counts ${counts.length} ids, and id ${id} ${counts[id]} times, where the output embedding has ${vocabSize} rows: counted with another tokenizer?`,
    );
  }
  const missing = vocabSize - counts.length;
  if (missing > mostPaddingRows || missing > mostPaddingShare * vocabSize) {
    throw new InputError(
      source,
      `counts ${counts.length} ids where the output embedding has ${vocabSize} rows: more than padding can explain; counted with another tokenizer?`,
    );
  }
}

/**
 * -log of mean output probabilities that an analysis measured, in place of frequencies.
 * @param probabilities alpha, [V]
 * @param tokenIds rows that the analysis regressed on; left out, all
 */
export function probabilityFrequencies(
  probabilities: Float64Array,
  tokenIds: Int32Array | undefined,
  source: string,
  vocabSize: number,
): Frequencies {
  if (probabilities.length !== vocabSize) {
    throw new InputError(
      source,
      `has probabilities of ${probabilities.length} tokens where the output embedding has ${vocabSize} rows`,
    );
  }
  const ids = tokenIds ?? Int32Array.from({ length: vocabSize }, (_, id) => id);
  const seen = new Uint8Array(vocabSize);
  const observed = Float64Array.from(ids, (id) => {
    const probability = probabilities[id];
    if (probability === undefined || seen[id]) throw new InputError(source, `token_ids names ${id}, twice or outside`);
    seen[id] = 1;
    if (probability > 0 && probability <= 1) return -Math.log(probability);
    throw new InputError(source, `token ${id} has probability ${probability}, not one above 0 and up to 1`);
  });
  return {
    tokenIds: ids,
    observed,
    kind: "probabilities",
    source,
    totalCount: undefined,
    vocabSize,
    paddingRows: vocabSize - ids.length,
    unseen: 0,
  };
}
