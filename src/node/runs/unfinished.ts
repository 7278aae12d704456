import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Corpus } from "../../corpus/corpus.js";
import type { AnalyzeProgress } from "../../encoding/analyze.js";
import { type Head, isTransformed } from "../../model/head/head.js";
import type { Model } from "../../model/model.js";
import { decodeStatistics, encodeStatistics } from "../../statistics/statistics-file.js";
import { openFileSource } from "../files/file-source.js";
import { writeFileAtomic } from "../files/write-atomic.js";

/** Longest work that a killed process may lose, in seconds; saving then costs well under 1% of the time. */
const saveEverySeconds = 15;

/** What a run has reached: AnalyzeProgress, as far as it is kept. */
type Reached = Pick<AnalyzeProgress, "windows" | "statistics">;

/** Statistics of a run that has not finished, kept in its folder so that the same run can go on from them. */
export interface Unfinished {
  /** What an earlier run with the same arguments and inputs had reached. */
  readonly found: Reached | undefined;
  /** Saves now and then. */
  offer(reached: Reached): Promise<void>;
  /** Saves what was offered last. */
  saveLast(): Promise<void>;
  remove(): Promise<void>;
}

/** @param asked everything that the statistics depend on: arguments, identity of each input file */
export async function openUnfinished(folder: string, asked: unknown, head: Head): Promise<Unfinished> {
  const path = join(folder, "unfinished.safetensors");
  const key = createHash("sha256").update(JSON.stringify(asked)).digest("hex");
  const state: { saved: number; last?: Reached } = { saved: performance.now() };
  const saveLast = async () => {
    if (state.last === undefined) return;
    const { windows, statistics } = state.last;
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(path, encodeStatistics(statistics, { key, windows: `${windows}` }));
    state.saved = performance.now();
  };
  return {
    found: await readUnfinished(path, key, head),
    saveLast,
    async offer(reached) {
      state.last = reached;
      if (performance.now() - state.saved > saveEverySeconds * 1000) await saveLast();
    },
    remove: () => rm(path, { force: true }),
  };
}

async function readUnfinished(path: string, key: string, head: Head): Promise<Unfinished["found"]> {
  try {
    const { statistics, metadata } = await decodeStatistics(
      await openFileSource(path),
      head.vocabSize,
      head.hiddenSize,
      isTransformed(head),
    );
    const windows = Number(metadata.windows);
    return metadata.key === key && Number.isSafeInteger(windows) && windows > 0 ? { windows, statistics } : undefined;
  } catch {
    // Whatever is wrong with it, starting from the beginning is right.
    return undefined;
  }
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
