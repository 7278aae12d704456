import { availableParallelism } from "node:os";
import { dirname, relative, sep } from "node:path";
import { Worker } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import { processorCapabilities } from "../../engine/capabilities.js";
import type { Engine, Session, Tensors } from "../../engine/engine.js";
import type { Graph } from "../../engine/graph.js";
import {
  maxReplicatedBytes,
  openRequests,
  pooledSession,
  type SessionRequest,
  type WorkerReply,
} from "../../engine/worker-pool.js";
import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { isComputed } from "../../tensor/computed-rows.js";
import type { FileSource } from "../files/file-source.js";
import { explainStart } from "./explain-start.js";
import { type KeptFiles, keptFiles } from "./kept-files.js";

export interface EngineOptions {
  /** Processor cores to use. */
  threads: number;
  /** Write onnxruntime's profile of every session to files with this prefix. */
  profile?: string | undefined;
}

/** What the main thread asks of a worker. */
export type Request = { id: number } & Question;
type Question =
  | SessionRequest
  | { session: number; kind: "load"; graph: Uint8Array; options: InferenceSession.SessionOptions };

/** A protobuf message ends at 2 GiB; the rest of a graph takes far less than what is left here. */
const maxBytesInGraph = 2 ** 31 - 2 ** 26;

/** onnxruntime on this machine's processor. Weights on disk are mapped where they lie. */
export function createEngine({ threads, profile }: EngineOptions): Engine {
  const workers: EngineWorker[] = [];
  const worker = (index: number): EngineWorker => (workers[index] ??= startWorker());
  const open = new Set<Session>();
  let nextSession = 0;
  return {
    threads,
    capabilities: processorCapabilities,
    async load(graph, { oneAtATime = false } = {}) {
      const session = nextSession++;
      const replicated = !oneAtATime && graph.weightBytes * (threads - 1) <= maxReplicatedBytes;
      const replicas = replicated ? Math.min(threads, availableParallelism()) : 1;
      const kept = keptFiles();
      const { bytes, options } = await sessionOptions(graph, Math.ceil(threads / replicas), kept);
      // A file each: onnxruntime names profiles by the time alone, and two workers would write into one.
      const profiled = (index: number): InferenceSession.SessionOptions =>
        profile === undefined
          ? options
          : { ...options, enableProfiling: true, profileFilePrefix: `${profile}-${session}-${index}` };
      const free = Array.from({ length: replicas }, (_, index) => worker(index));
      const loading = free.map((one, index) =>
        one.ask({ kind: "load", session, graph: bytes, options: profiled(index) }),
      );
      await Promise.all(loading).finally(() => kept.remove());
      const pooled = pooledSession(session, free);
      open.add(pooled);
      return {
        ...pooled,
        async release() {
          if (open.delete(pooled)) await pooled.release();
        },
      };
    },
    async close() {
      // Released first: a profile is written when its session is.
      await Promise.all([...open].map((session) => session.release()));
      open.clear();
      await Promise.all(workers.splice(0).map((one) => one.stop()));
    },
  };
}

interface EngineWorker {
  /** @param given buffers that the worker takes over */
  ask(request: Question, given?: ArrayBuffer[]): Promise<Tensors>;
  stop(): Promise<void>;
}

function startWorker(): EngineWorker {
  // From TypeScript sources (tests) the compiled worker is used: worker threads load JavaScript only.
  const file = import.meta.url.endsWith(".ts") ? "../../../dist/node/engine/engine-worker.js" : "./engine-worker.js";
  // Flags of the process are not its own: with --input-type=module, say, no worker of a file starts, nor under some loaders.
  const thread = new Worker(new URL(file, import.meta.url), { name: "unembed-engine", execArgv: [] });
  const requests = openRequests();
  // An idle worker must not keep the process alive; one with work under way must.
  thread.unref();
  thread.on("message", (reply: WorkerReply) => {
    requests.settle(reply);
    if (requests.count === 0) thread.unref();
  });
  thread.on("error", (error) => requests.fail(explainStart(error)));
  thread.on("exit", (code) => requests.fail(new Error(`the engine's worker stopped with code ${code}`)));
  return {
    ask: (request, given = []) =>
      requests.open((id) => {
        thread.ref();
        thread.postMessage({ ...request, id }, given);
      }),
    async stop() {
      await thread.terminate();
    },
  };
}

async function sessionOptions(
  graph: Graph,
  threads: number,
  kept: KeptFiles,
): Promise<{ bytes: Uint8Array; options: InferenceSession.SessionOptions }> {
  const fileOf = new Map<ByteSource, FileSource>();
  for (const source of graph.sources) {
    if (isFileSource(source)) fileOf.set(source, source);
    else if (isComputed(source)) fileOf.set(source, await kept.fileOf(source));
  }
  const files = [...fileOf.values()];
  const folder = commonFolder(files.map((file) => dirname(file.path)));
  const inMemory = [...graph.sources].filter((source) => !fileOf.has(source));
  // Once it is given one weight's bytes, onnxruntime looks for no other weight on disk: beside weights on disk, those in
  // memory have to be a part of the graph.
  const inGraph = files.length > 0 && inMemory.length > 0 ? await bytesInGraph(graph, inMemory) : undefined;
  const locate = (source: ByteSource) => {
    const file = fileOf.get(source);
    return file ? relative(folder, file.path) : `memory-${inMemory.indexOf(source)}`;
  };
  const options: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Planning memory by pattern holds a second copy of every V-wide block: 60 MB on a small model, for no speed.
    enableMemPattern: false,
    logSeverityLevel: 3,
    externalData:
      inGraph === undefined
        ? await Promise.all(
            inMemory.map(async (source) => ({ path: locate(source), data: await source.read(0, source.size) })),
          )
        : [],
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  };
  const bytes = graph.encode((tensor) => {
    const own = inGraph?.get(tensor.name);
    return own === undefined ? { location: locate(tensor.source), offset: tensor.offset } : { bytes: own };
  });
  return { bytes, options };
}

/** Weights in memory by name. @throws InputError if they are more than one protobuf message holds */
async function bytesInGraph(
  { weights }: Graph,
  inMemory: readonly ByteSource[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const tensors = weights.map(({ tensor }) => tensor).filter(({ source }) => inMemory.includes(source));
  const total = tensors.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  if (total > maxBytesInGraph) {
    throw new InputError(
      tensors[0]!.source.name,
      `and other changed weights take ${total} bytes, more than fit beside weights on disk: save the model and open it`,
    );
  }
  const read = tensors.map(
    async ({ name, source, offset, byteLength }) => [name, await source.read(offset, byteLength)] as const,
  );
  return new Map(await Promise.all(read));
}

function isFileSource(source: ByteSource): source is FileSource {
  return "path" in source;
}

/** Deepest folder that holds all of them: onnxruntime refuses weights outside one folder. */
function commonFolder(folders: string[]): string {
  const [first = sep, ...others] = folders;
  let parts = first.split(sep);
  for (const other of others) {
    const otherParts = other.split(sep);
    const shared = parts.findIndex((part, index) => part !== otherParts[index]);
    if (shared >= 0) parts = parts.slice(0, shared);
  }
  return parts.join(sep) || sep;
}
