import { hasTokenizer } from "../../corpus/tokenizer/open-source.js";
import { type Checkpoint, stepOfName } from "../../dynamics/inputs/checkpoint.js";
import { InputError } from "../../errors.js";
import type { DownloadProgress } from "../../hub/download-progress.js";
import { isCommit } from "../../hub/listing.js";
import { type HubReference, referenceText } from "../../hub/reference.js";
import type { Folder } from "../../tensor/byte-source.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { openHubFolder } from "../hub/hub-folder.js";
import { listRevisions } from "../hub/revisions.js";
import { fetchRemoteEmbedding } from "../hub/tensors/remote-embedding.js";
import type { CheckpointOptions } from "./checkpoint-options.js";

/** What came from a hub, and how much more the whole checkpoints would have been. */
export interface FetchedBytes {
  readonly bytes: number;
  readonly checkpointBytes: number;
}

export interface RemoteCheckpoints {
  readonly checkpoints: Checkpoint[];
  tokenizerFolder(): Promise<Folder | undefined>;
  fetched(): FetchedBytes;
}

/** Revisions named in a message. */
const namesShown = 8;

/**
 * Checkpoints that are revisions of repositories on the hub.
 * @throws InputError naming a revision that does not exist, or has no step in its name
 */
export async function remoteCheckpoints(
  references: readonly HubReference[],
  options: CheckpointOptions,
): Promise<RemoteCheckpoints> {
  const { tensor, ...hub } = options;
  const steps = references.map((reference) => ({ reference, step: stepOf(reference) }));
  await checkRevisions(references, options);
  let bytes = 0;
  const sizes = new Map<string, number>();
  let announced = false;
  const announce = () => {
    if (announced) return;
    announced = true;
    const known = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const much = sizes.size < references.length ? "" : ` (${(known / 1e6).toFixed(1)} MB in all)`;
    hub.onNotice?.(
      `the convergence needs all of ${references.length} checkpoints on the hub${much}: what is not in the cache is fetched`,
    );
  };
  const progress = totalProgress(references.length, options.onProgress);
  const checkpoints = steps.map(({ reference, step }): Checkpoint => {
    const name = referenceText(reference);
    return {
      name,
      step,
      async outputEmbedding() {
        const { entry, fetchedBytes, checkpointBytes } = await fetchRemoteEmbedding(reference, tensor, {
          ...hub,
          onProgress: progress.report,
        });
        if (fetchedBytes === 0) progress.cached();
        bytes += fetchedBytes;
        sizes.set(name, checkpointBytes);
        return entry;
      },
      async tensors() {
        announce();
        return openCheckpointTensors(await openHubFolder(reference, hub));
      },
    };
  });
  const last = steps.sort((a, b) => a.step - b.step).at(-1)!.reference;
  return {
    checkpoints,
    async tokenizerFolder() {
      const folder = await openHubFolder(last, { ...hub, files: [] });
      return (await hasTokenizer(folder)) ? folder : undefined;
    },
    fetched: () => ({ bytes, checkpointBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) }),
  };
}

/** Adds up what several downloads report, and what those that have not begun will come to. */
function totalProgress(count: number, onProgress: CheckpointOptions["onProgress"]) {
  const begun = new Map<string, { received: number; total: number }>();
  let cached = 0;
  return {
    cached() {
      cached++;
    },
    report({ file, received, total }: DownloadProgress) {
      begun.set(file, { received, total });
      let [allReceived, allTotal] = [0, 0];
      for (const one of begun.values()) {
        allReceived += one.received;
        allTotal += one.total;
      }
      const toCome = Math.max(0, count - cached - begun.size);
      onProgress?.({ file, received: allReceived, total: Math.round((allTotal / begun.size) * (begun.size + toCome)) });
    },
  };
}

/** Training revisions of a repository: those with a step in their names, by rising step. */
export async function listSteps(reference: HubReference, options: CheckpointOptions): Promise<string[]> {
  const names = (await listRevisions(reference, options)).filter((name) => stepOfName(name) !== undefined);
  return names.sort((a, b) => stepOfName(a)! - stepOfName(b)! || (a < b ? -1 : 1));
}

/** Asks once a repository which revisions it has, so that a missing one is known before the work. */
async function checkRevisions(references: readonly HubReference[], options: CheckpointOptions): Promise<void> {
  const byName = new Map<string, HubReference[]>();
  for (const reference of references) byName.set(reference.name, [...(byName.get(reference.name) ?? []), reference]);
  for (const [name, wanted] of byName) {
    let known: Set<string>;
    try {
      known = new Set(await listRevisions(wanted[0]!, options));
    } catch (error) {
      options.signal?.throwIfAborted();
      // Offline, or from a mirror that lists nothing: what is missing then shows when it is fetched.
      if (error instanceof InputError) continue;
      throw error;
    }
    const missing = wanted.find(({ revision }) => !known.has(revision) && !isCommit(revision));
    if (missing === undefined) continue;
    const steps = [...known].filter((revision) => stepOfName(revision) !== undefined);
    const near = steps
      .sort((a, b) => distance(a, missing.revision) - distance(b, missing.revision))
      .slice(0, namesShown)
      .sort((a, b) => stepOfName(a)! - stepOfName(b)!);
    throw new InputError(
      referenceText(missing),
      `${name} has no revision ${missing.revision}; ${near.length > 0 ? `near it are ${near.join(", ")}` : "none of its revisions is a step"}`,
      { remedy: "list" },
    );
  }
}

function distance(name: string, other: string): number {
  return Math.abs(stepOfName(name)! - (stepOfName(other) ?? 0));
}

function stepOf(reference: HubReference): number {
  const step = isCommit(reference.revision) ? undefined : stepOfName(reference.revision);
  if (step !== undefined) return step;
  throw new InputError(referenceText(reference), "has no training step in its revision: give it as org/name@step1000", {
    remedy: "list",
  });
}
