import type { Job } from "bullmq";
import type { Corpus } from "../../corpus/corpus.js";
import { InputError } from "../../errors.js";
import type { Model } from "../../model/model.js";
import { corpus } from "../corpus/corpus-files.js";
import { type LoadOptions, loadModel } from "../load-model.js";
import { type CollectedPart, collectPart, identifyParts } from "../parts/collect-part.js";
import { requireSameAnalysis } from "../parts/same-analysis.js";
import { version } from "../version.js";
import type { Allowed } from "./allowed.js";
import { connect, type QueueServer, queueLibrary } from "./connection.js";
import { type PartJob, parsePartJob, partsQueue } from "./jobs.js";

/** A worker takes over what another has not been heard of for so long with, in seconds. */
export const defaultStalledSeconds = 30;
/** A part may be taken over so often before it is given up: every time a worker died with it. */
const takenOver = 100;
const progressMilliseconds = 500;

/** What a worker works on, and who is told. */
export interface WorkOptions extends Pick<LoadOptions, "threads"> {
  readonly server: QueueServer;
  /** What jobs may name. */
  readonly allowed: Allowed;
  /** Parts at the same time. Default 1, which uses all threads. */
  readonly concurrency?: number | undefined;
  readonly stalledSeconds?: number | undefined;
  /** Ends the work: parts in hand are given back. */
  readonly signal: AbortSignal;
  readonly onReady?: (() => void) | undefined;
  readonly onPart?: ((part: CollectedPart) => void) | undefined;
  readonly onNotice?: ((message: string) => void) | undefined;
}

/**
 * Computes parts from the queue until the signal ends it.
 * @throws InputError if the server cannot be reached
 */
export async function work(options: WorkOptions): Promise<void> {
  const { server, concurrency = 1, stalledSeconds = defaultStalledSeconds, signal } = options;
  const onNotice = options.onNotice ?? (() => {});
  const library = await queueLibrary();
  const connections = await connect(library, server, onNotice);
  const opened = openedModels(options);
  const { Worker, UnrecoverableError, DelayedError } = library.bullmq;
  const worker = new Worker(
    partsQueue,
    async (job, token) => {
      try {
        return await computePart(job, opened, options);
      } catch (error) {
        if (signal.aborted) {
          // Back into the queue at once, for another worker.
          await job.moveToDelayed(Date.now(), token);
          throw new DelayedError();
        }
        if (error instanceof InputError) {
          onNotice(error.message);
          // Another try here would end the same; a coordinator says so and ends.
          throw new UnrecoverableError(error.message);
        }
        throw error;
      }
    },
    {
      connection: connections.open() as never,
      concurrency,
      lockDuration: 1000 * stalledSeconds,
      stalledInterval: 500 * stalledSeconds,
      maxStalledCount: takenOver,
    },
  );
  // Without a listener an error would end the process; that the server is away is told by its connections.
  worker.on("error", () => {});
  try {
    await worker.waitUntilReady();
    options.onReady?.();
    await aborted(signal);
  } finally {
    await worker.close();
    await opened.close();
    await connections.close();
  }
}

async function computePart(job: Job, opened: OpenedModels, options: WorkOptions): Promise<{ contexts: number }> {
  const data = parsePartJob(job.id ?? "", job.data);
  const { part, identity, parts, how } = data;
  await requireAllowed(data, options.allowed);
  if (identity.unembed !== version) {
    throw new InputError(`job ${job.id}`, `is of unembed ${identity.unembed}, and this worker is ${version}`);
  }
  const { model, text } = await opened.open(data);
  requireSameAnalysis(`job ${job.id}`, identity, await identifyParts(model, text, identity.parts, how));
  let toldAt = 0;
  const collected = await collectPart(model, text, { part, parts: identity.parts }, parts, {
    ...how,
    signal: options.signal,
    onEvent(event) {
      if (event.type !== "progress" || performance.now() - toldAt < progressMilliseconds) return;
      toldAt = performance.now();
      job.updateProgress({ contexts: event.done }).catch(() => {});
    },
  });
  options.onPart?.(collected);
  return { contexts: collected.contexts };
}

async function requireAllowed({ model, corpus: text, parts }: PartJob, allowed: Allowed): Promise<void> {
  for (const name of [model, text, parts]) {
    if (!(await allowed(name)))
      throw new InputError(name, "is named by a job and not allowed here: start the worker with --allow");
  }
}

interface OpenedModels {
  open(job: PartJob): Promise<{ model: Model; text: Corpus }>;
  close(): Promise<void>;
}

/** The model that the last job was of stays open: the next is of the same, mostly. */
function openedModels({ threads, signal, onNotice }: WorkOptions): OpenedModels {
  let current: { name: string; model: Promise<Model> } | undefined;
  const close = async () => {
    const last = current;
    current = undefined;
    await (await last?.model.catch(() => undefined))?.close();
  };
  return {
    close,
    async open({ model: name, corpus: path }) {
      if (current?.name !== name) {
        await close();
        current = { name, model: loadModel(name, { threads, signal, onNotice }) };
      }
      return { model: await current.model, text: corpus(path) };
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
