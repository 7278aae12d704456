import { availableParallelism } from "node:os";
import type { InferenceSession } from "onnxruntime-node";
import type { Engine, Session } from "../../engine/engine.js";
import type { Graph } from "../../engine/graph.js";
import { maxReplicatedBytes, pooledSession } from "../../engine/worker-pool.js";
import type { EngineOptions } from "./engine-options.js";
import { type EngineWorker, startWorker } from "./engine-thread.js";
import { keptFiles } from "./kept-files.js";
import { placementLine, runProfile } from "./placements.js";
import { sessionOptions } from "./session-options.js";

/** Sessions of one device, in threads of their own. */
export type WorkerSessions = Pick<Engine, "load" | "close">;

/** Of all sessions of this process: engines share the thread of a device. */
let nextSession = 0;

/** One thread for each device, however many engines it has: runs of two would overlap there. */
const ofDevices = new Map<string, { worker: EngineWorker; users: number }>();

function sharedWorker(device: string): EngineWorker {
  const shared = ofDevices.get(device) ?? { worker: startWorker(), users: 0 };
  ofDevices.set(device, shared);
  shared.users++;
  return {
    ...shared.worker,
    async stop() {
      if (--shared.users > 0) return;
      ofDevices.delete(device);
      await shared.worker.stop();
    },
  };
}

/** A device's library takes one run after another: one thread. The processor has a thread for each of its cores. */
export function workerSessions({
  threads,
  device = "cpu",
  profile,
  onPlacement,
}: Pick<EngineOptions, "threads" | "device" | "profile" | "onPlacement">): WorkerSessions {
  const workers: EngineWorker[] = [];
  const worker = (index: number): EngineWorker =>
    (workers[index] ??= device === "cpu" ? startWorker() : sharedWorker(device));
  const open = new Set<Session>();
  const replicasOf = (graph: Graph, oneAtATime: boolean) => {
    const replicated = device === "cpu" && !oneAtATime && graph.weightBytes * (threads - 1) <= maxReplicatedBytes;
    return replicated ? Math.min(threads, availableParallelism()) : 1;
  };
  return {
    async load(graph, { oneAtATime = false } = {}) {
      const session = nextSession++;
      const replicas = replicasOf(graph, oneAtATime);
      const kept = keptFiles();
      const { bytes, options } = await sessionOptions(graph, device, Math.ceil(threads / replicas), kept);
      const placement = device === "cpu" || onPlacement === undefined ? undefined : await runProfile();
      // A file each: onnxruntime names profiles by the time alone, and two workers would write into one.
      const prefix = (index: number) =>
        placement?.prefix ?? (profile === undefined ? undefined : `${profile}-${session}-${index}`);
      const free = Array.from({ length: replicas }, (_, index) => worker(index));
      const loading = free.map((one, index) =>
        one.ask({ kind: "load", session, graph: bytes, options: profiled(options, prefix(index)) }),
      );
      await Promise.all(loading).finally(() => kept.remove());
      const pooled = placement
        ? sayingPlacement(pooledSession(session, free), async () => {
            await free[0]!.ask({ kind: "endProfile", session });
            onPlacement?.(placementLine(graph.name, device, await placement.read()));
          })
        : pooledSession(session, free);
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

function profiled(options: InferenceSession.SessionOptions, prefix: string | undefined) {
  return prefix === undefined ? options : { ...options, enableProfiling: true, profileFilePrefix: prefix };
}

/** A session that counts, after its first run, where its operators ran. */
function sayingPlacement(session: Session, say: () => Promise<void>): Session {
  let said: Promise<void> | undefined;
  const once = () => {
    said ??= say();
    return said;
  };
  return {
    ...session,
    async run(feeds, handOver) {
      const outputs = await session.run(feeds, handOver);
      await once();
      return outputs;
    },
    async release() {
      await once();
      await session.release();
    },
  };
}
