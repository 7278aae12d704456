import { Worker } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import type { Tensors } from "../../engine/engine.js";
import { openRequests, type SessionRequest, type WorkerReply } from "../../engine/worker-pool.js";
import { explainStart } from "./explain-start.js";

/** What the main thread asks of a worker. */
export type Request = { id: number } & Question;
type Question =
  | SessionRequest
  | { session: number; kind: "load"; graph: Uint8Array; options: InferenceSession.SessionOptions }
  | { session: number; kind: "endProfile" };

/** A thread with sessions of its own. */
export interface EngineWorker {
  /** @param given buffers that the worker takes over */
  ask(request: Question, given?: ArrayBuffer[]): Promise<Tensors>;
  stop(): Promise<void>;
}

export function startWorker(): EngineWorker {
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
