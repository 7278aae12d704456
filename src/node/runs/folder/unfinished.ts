import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Corpus } from "../../../corpus/corpus.js";
import { type Head, isTransformed } from "../../../model/head/head.js";
import type { Model } from "../../../model/model.js";
import { type CollectedSums, contextsOf } from "../../../statistics/collected-sums.js";
import { decodeCollected, encodeCollected } from "../../../statistics/statistics-file.js";
import { openFileSource } from "../../files/file-source.js";
import { writeFileAtomic } from "../../files/write-atomic.js";
import type { Asked } from "../write/run-record.js";
import { runMetadata, unfinishedFile } from "./unfinished-names.js";

/** Longest work that a killed process may lose, in seconds; saving then costs well under 1% of the time. */
const saveEverySeconds = 15;

/** Statistics of a run that has not finished, kept in its folder so that the same run can go on from them. */
export interface Unfinished {
  /** What an earlier run with the same arguments and inputs had reached. */
  readonly found: CollectedSums | undefined;
  /** Whether there is something that cannot be gone on from, such as sums over files that have changed since. */
  readonly unusable: boolean;
  /** Saves now and then. */
  offer(sums: CollectedSums): Promise<void>;
  /** Saves what was offered last. */
  saveLast(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * @param identity everything that the statistics depend on: arguments, identity of each input file
 * @param asked what is said of the run to who finds its folder
 */
export async function openUnfinished(folder: string, identity: unknown, asked: Asked, head: Head): Promise<Unfinished> {
  const path = join(folder, unfinishedFile);
  const key = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  const state: { saved: number; last?: CollectedSums } = { saved: performance.now() };
  const saveLast = async () => {
    if (state.last === undefined) return;
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(path, encodeCollected(state.last, { key, ...runMetadata("analyze", asked) }));
    state.saved = performance.now();
  };
  return {
    ...(await readUnfinished(path, key, head)),
    saveLast,
    async offer(sums) {
      state.last = sums;
      if (performance.now() - state.saved > saveEverySeconds * 1000) await saveLast();
    },
    remove: () => rm(path, { force: true }),
  };
}

async function readUnfinished(path: string, key: string, head: Head): Promise<Pick<Unfinished, "found" | "unusable">> {
  if (!(await stat(path).catch(() => undefined))) return { found: undefined, unusable: false };
  try {
    const sizes = { ...head, transformed: isTransformed(head) };
    const { collected, metadata } = await decodeCollected(await openFileSource(path), sizes);
    if (metadata.key === key && contextsOf(collected) > 0) return { found: collected, unusable: false };
  } catch {
    // Whatever is wrong with it, starting from the beginning is right.
  }
  return { found: undefined, unusable: true };
}

/** What tells one model and text from others: path, size and time of change of each file, or nothing that comes again. */
export async function inputIdentity(model: Model, corpus: Corpus): Promise<unknown> {
  const weights = model.head.weight.source;
  const files = [{ name: "path" in weights ? `${weights.path}` : weights.name }, ...corpus.files];
  return Promise.all(
    files.map(async ({ name }) => {
      try {
        const { size, mtimeMs } = await stat(name);
        return [resolve(name), size, mtimeMs];
      } catch {
        return randomUUID();
      }
    }),
  );
}
