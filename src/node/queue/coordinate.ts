import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { FlowJob, JobsOptions, Queue } from "bullmq";
import type { Corpus } from "../../corpus/corpus.js";
import { InputError } from "../../errors.js";
import type { Model } from "../../model/model.js";
import type { OnRunEvent } from "../../runs/run-events.js";
import { partWindows } from "../../statistics/parts.js";
import { identifyParts, keptPart, statisticsSizes } from "../parts/collect-part.js";
import { type PartsIdentity, partFileName } from "../parts/part-file.js";
import { connect, type QueueServer, queueLibrary } from "./connection.js";
import { mergeQueue, type PartJob, partJobId, partProgressShape, partsQueue } from "./jobs.js";

/** Files are looked for so often, whatever the queue tells: they alone say what is done. */
const lookMilliseconds = 2_000;
/** A part that fails for a passing reason, such as a disk that is away, is tried so often. */
const attempts = 8;

/** A run that workers do, and who is told. */
export interface CoordinateOptions {
  readonly server: QueueServer;
  /** The model and the text as workers are to open them: absolute paths, or an id on the hub. */
  readonly names: { readonly model: string; readonly corpus: string; readonly parts: string };
  readonly how: PartJob["how"];
  /** Number of parts. */
  readonly parts: number;
  readonly signal: AbortSignal;
  readonly onEvent: OnRunEvent;
}

/**
 * Puts the parts of an analysis that are missing into the queue, waits for them, and has `merge` add them up: the job that all
 * parts are children of. What is done is told by the files alone, so that whoever starts it again goes on, and several may wait
 * for one run.
 * @param merge adds up the parts of an identity; it throws InputError for a part that is damaged
 * @throws InputError if the server or the folder of parts cannot be used, or a part cannot be computed
 * @throws the signal's reason when it is aborted; the parts stay in the queue
 */
export async function coordinate<Result>(
  model: Model,
  text: Corpus,
  options: CoordinateOptions,
  merge: (identity: PartsIdentity) => Promise<Result>,
): Promise<Result> {
  const { server, how, parts, signal, onEvent } = options;
  const identity = await identifyParts(model, text, parts, how);
  const run = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
  const library = await queueLibrary();
  const notice = (message: string) => onEvent({ type: "notice", message });
  const connections = await connect(library, server, notice);
  const { Queue, QueueEvents, FlowProducer, Worker } = library.bullmq;
  const connection = () => ({ connection: connections.open() as never });
  const queue = new Queue(partsQueue, connection());
  const merges = new Queue(mergeQueue(run), connection());
  const flows = new FlowProducer(connection());
  const events = new QueueEvents(partsQueue, connection());
  const wake = wakeUps(signal);
  // The parent of all parts becomes a job when the last is done: it is what wakes up who waits.
  const parent = new Worker(mergeQueue(run), async () => wake.now(), connection());
  // Without listeners errors would end the process; that the server is away is told by its connections.
  const ignore = () => {};
  queue.on("error", ignore);
  merges.on("error", ignore);
  flows.on("error", ignore);
  events.on("error", ignore);
  parent.on("error", ignore);
  const progress = progressOf(identity, onEvent);
  const failures = new Map<number, string>();
  const partOf = (jobId: string) => (jobId.startsWith(`${run}-`) ? Number(jobId.slice(run.length + 1)) : undefined);
  events.on("progress", ({ jobId, data }) => progress.reached(partOf(jobId), data));
  events.on("completed", ({ jobId }) => partOf(jobId) && wake.now());
  events.on("failed", ({ jobId, failedReason }) => {
    const part = partOf(jobId);
    if (part !== undefined) failures.set(part, failedReason);
    wake.now();
  });
  const missing = missingParts(model, options.names.parts, identity, progress);
  try {
    await events.waitUntilReady();
    const jobOf = (part: number): PartJob => ({ kind: "part", run, ...options.names, part, identity, how });
    for (;;) {
      let open = await missing();
      await enqueue({ queue, flows }, run, open.map(jobOf));
      while (open.length > 0) {
        await wake.next();
        signal.throwIfAborted();
        open = await missing();
        failUnless(
          open.every((part) => !failures.has(part)),
          open,
          failures,
        );
      }
      try {
        const result = await merge(identity);
        await clear(queue, merges, run, parts);
        return result;
      } catch (error) {
        // One that was whole when it was written and is not any more.
        if (!(await forgetDamaged(model, options.names.parts, identity))) throw error;
      }
    }
  } finally {
    wake.stop();
    await Promise.allSettled([parent.close(true), events.close(), queue.close(), merges.close(), flows.close()]);
    await connections.close();
  }
}

function failUnless(fine: boolean, open: readonly number[], failures: ReadonlyMap<number, string>): void {
  if (fine) return;
  const part = open.find((one) => failures.has(one))!;
  throw new InputError(`part ${part}`, `cannot be computed: ${failures.get(part)}`.slice(0, 600));
}

/** Puts parts into the queue that are not there, all as children of the run's one job. */
async function enqueue(
  { queue, flows }: { queue: Queue; flows: { add(flow: FlowJob): Promise<unknown> } },
  run: string,
  jobs: readonly PartJob[],
): Promise<void> {
  if (jobs.length === 0) return;
  // What failed before, or lost its file, has to be made anew; what waits or is being worked on stays.
  for (const job of jobs) {
    const known = await queue.getJob(partJobId(job));
    if (known && ((await known.isFailed()) || (await known.isCompleted()))) await known.remove().catch(() => {});
  }
  const kept = { removeOnComplete: true, removeOnFail: true } satisfies JobsOptions;
  await flows.add({
    name: "merge",
    queueName: mergeQueue(run),
    data: { run },
    opts: { jobId: run, ...kept },
    children: jobs.map((data) => ({
      name: "part",
      queueName: partsQueue,
      data,
      opts: { jobId: partJobId(data), attempts, backoff: { type: "exponential", delay: 1_000 }, ...kept },
    })),
  });
}

/** Takes what is left of a run out of the queue. */
async function clear(queue: Queue, merges: Queue, run: string, parts: number): Promise<void> {
  for (let part = 1; part <= parts; part++) {
    await queue.remove(partJobId({ run, part })).catch(() => {});
  }
  // Another coordinator of the same run may still be looking at it.
  await merges.obliterate({ force: true }).catch(() => {});
}

/** Which parts have no whole file yet. A file that was found whole is not read again. */
function missingParts(model: Model, folder: string, identity: PartsIdentity, progress: Progress) {
  const whole = new Set<number>();
  const sizes = statisticsSizes(model);
  return async (): Promise<number[]> => {
    const open: number[] = [];
    for (let part = 1; part <= identity.parts; part++) {
      if (whole.has(part)) continue;
      const path = join(folder, partFileName({ part, parts: identity.parts }));
      if (await keptPart(path, part, identity, sizes)) {
        whole.add(part);
        progress.done(part);
      } else open.push(part);
    }
    return open;
  };
}

/** Deletes the parts that are damaged now. @returns whether there was any */
async function forgetDamaged(model: Model, folder: string, identity: PartsIdentity): Promise<boolean> {
  let any = false;
  for (let part = 1; part <= identity.parts; part++) {
    const path = join(folder, partFileName({ part, parts: identity.parts }));
    if (await keptPart(path, part, identity, statisticsSizes(model))) continue;
    await rm(path, { force: true });
    any = true;
  }
  return any;
}

interface Progress {
  reached(part: number | undefined, data: unknown): void;
  done(part: number): void;
}

/** What all workers have done, as one number of tokens. */
function progressOf(identity: PartsIdentity, onEvent: OnRunEvent): Progress {
  const { parts, windows, contextLength } = identity;
  const sizes = Array.from({ length: parts }, (_, index) => {
    const { first, end } = partWindows(windows, { part: index + 1, parts });
    return (end - first) * contextLength;
  });
  const reached = new Array<number>(parts).fill(0);
  const whole = new Set<number>();
  const tell = () => {
    const done = reached.reduce((sum, value) => sum + value, 0);
    const phase = `${whole.size} of ${parts} parts`;
    onEvent({ type: "progress", phase, done, total: windows * contextLength, unit: "tokens" });
  };
  return {
    reached(part, data) {
      const found = partProgressShape.safeParse(data);
      if (part === undefined || !found.success || sizes[part - 1] === undefined || whole.has(part)) return;
      reached[part - 1] = Math.min(found.data.contexts, sizes[part - 1]!);
      tell();
    },
    done(part) {
      whole.add(part);
      reached[part - 1] = sizes[part - 1]!;
      tell();
    },
  };
}

/** Someone who waits is woken up at once when something happened, and now and then in any case. */
function wakeUps(signal: AbortSignal) {
  let wakeUp = () => {};
  let happened = false;
  const now = () => {
    happened = true;
    wakeUp();
  };
  signal.addEventListener("abort", now, { once: true });
  return {
    now,
    async next(): Promise<void> {
      if (!happened) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, lookMilliseconds);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      happened = false;
    },
    stop: () => signal.removeEventListener("abort", now),
  };
}
