import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Collected } from "../../encoding/collected.js";
import { InputError } from "../../errors.js";
import type { Model } from "../../model/model.js";
import type { OnRunEvent } from "../../runs/run-events.js";
import { emptyStatistics, mergeInto } from "../../statistics/head-statistics.js";
import { fileError } from "../files/file-source.js";
import { statisticsSizes } from "./collect-part.js";
import { modelHash } from "./model-hash.js";
import { isPartName, type PartRecord, type PartsIdentity, readPart, readPartRecord } from "./part-file.js";
import { requireSameAnalysis } from "./same-analysis.js";

/** Missing parts that a message names; of more it says how many. */
const namedParts = 20;

/** Which parts are added up, and who is told. */
export interface MergeOptions {
  /** What the parts have to be of; left out, the first part says it, and only the model is checked. */
  readonly identity?: PartsIdentity | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnRunEvent | undefined;
}

/**
 * Adds up all parts of an analysis in their order, so that the sums are those of one pass, to the bit. One part may be there
 * several times, under any names.
 * @throws InputError naming the parts that are missing, or one that is damaged or of another model, text, version or windows
 */
export async function mergeParts(
  model: Model,
  folder: string,
  { identity, signal, onEvent }: MergeOptions = {},
): Promise<Pick<Collected, "statistics" | "text">> {
  const found = await findParts(folder);
  const first = found.values().next().value;
  if (first === undefined) throw new InputError(folder, "holds no part of an analysis");
  const wanted = identity ?? { ...first.record.identity, model: await modelHash(model) };
  for (const { path, record } of found.values()) requireSameAnalysis(path, record.identity, wanted);
  requireAll(folder, found, wanted.parts);
  const sizes = statisticsSizes(model);
  const statistics = emptyStatistics(sizes.vocabSize, sizes.hiddenSize, sizes.transformed);
  for (let part = 1; part <= wanted.parts; part++) {
    signal?.throwIfAborted();
    mergeInto(statistics, (await readPart(found.get(part)!.path, sizes)).statistics);
    onEvent?.({ type: "progress", phase: "merge", done: part, total: wanted.parts, unit: "parts" });
  }
  return { statistics, text: first.record.text };
}

interface FoundPart {
  readonly path: string;
  readonly record: PartRecord;
}

/** The parts in a folder by their number, in its order. */
async function findParts(folder: string): Promise<Map<number, FoundPart>> {
  const names = await readdir(folder).catch((error) => {
    throw fileError(folder, error);
  });
  const found = new Map<number, FoundPart>();
  for (const name of names.filter(isPartName).sort()) {
    const path = join(folder, name);
    const record = await readPartRecord(path);
    const twin = found.get(record.part);
    // A part that came twice has the same sums; one that only seems to is refused below.
    if (twin) requireSameAnalysis(path, record.identity, twin.record.identity);
    else found.set(record.part, { path, record });
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

function requireAll(folder: string, found: ReadonlyMap<number, FoundPart>, parts: number): void {
  const missing = Array.from({ length: parts }, (_, index) => index + 1).filter((part) => !found.has(part));
  if (missing.length === 0) return;
  const named = missing.slice(0, namedParts).join(", ") + (missing.length > namedParts ? ", ..." : "");
  throw new InputError(
    folder,
    missing.length === 1
      ? `part ${named} of ${parts} is missing`
      : `${missing.length} of ${parts} parts are missing: ${named}`,
  );
}

/** Makes the folder that parts go to. @throws InputError if it cannot be made */
export async function makePartsFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw fileError(folder, error);
  });
}
