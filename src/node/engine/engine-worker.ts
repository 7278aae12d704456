import { parentPort } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Tensors } from "../../engine/engine.js";
import type { WorkerReply } from "../../engine/worker-pool.js";
import type { Request } from "./engine-thread.js";

// Runs onnxruntime away from the main thread: its Node binding computes synchronously on the thread that calls it.
const sessions = new Map<number, InferenceSession>();

/** One after another, also while a session is made: on a graphics card two at once crash the process. */
let last: Promise<void> = Promise.resolve();

parentPort?.on("message", (request: Request) => {
  last = last.then(() => reply(request));
});

async function reply(request: Request): Promise<void> {
  try {
    const outputs = await answer(request);
    const transfer = Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer);
    parentPort?.postMessage({ id: request.id, outputs } satisfies WorkerReply, transfer);
  } catch (error) {
    parentPort?.postMessage({ id: request.id, error: (error as Error).message } satisfies WorkerReply);
  }
}

/** Copies of inputs in shared memory, which onnxruntime does not take, by session and name: made once, filled again. */
const copies = new Map<string, Tensors[string]["data"]>();

function unshared(key: string, data: Tensors[string]["data"]): Tensors[string]["data"] {
  if (!(data.buffer instanceof SharedArrayBuffer)) return data;
  const kept = copies.get(key);
  const fits = kept !== undefined && kept.constructor === data.constructor && kept.length >= data.length;
  const copy = fits ? kept : data.slice();
  if (fits) (copy as Float64Array).set(data as Float64Array);
  copies.set(key, copy);
  return copy.length === data.length ? copy : copy.subarray(0, data.length);
}

async function answer(request: Request): Promise<Record<string, Tensors[string]>> {
  if (request.kind === "load") {
    sessions.set(request.session, await InferenceSession.create(request.graph, request.options));
    return {};
  }
  const session = sessions.get(request.session);
  if (session === undefined) throw new Error(`no session ${request.session}`);
  if (request.kind === "endProfile") {
    session.endProfiling();
    return {};
  }
  if (request.kind === "release") {
    sessions.delete(request.session);
    await session.release();
    return {};
  }
  const feeds = Object.entries(request.feeds).map(([name, { type, data, dims }]) => [
    name,
    new Tensor(type, unshared(`${request.session} ${name}`, data), dims),
  ]);
  const results = Object.entries(await session.run(Object.fromEntries(feeds)));
  return Object.fromEntries(
    results.map(([name, { type, data, dims }]) => [name, { type, data, dims } as Tensors[string]]),
  );
}
