import type { Tensors } from "../engine/engine.js";
import { openRequests, type WorkerReply } from "../engine/worker-pool.js";
import { InputError } from "../errors.js";
import type { PageQuestion } from "./engine/serve-sessions.js";

/** Where an engine computes. */
export type Device = "wasm" | "webgpu";

/** A thread of the page with an onnxruntime of its own. */
export interface PageWorker {
  ask(request: PageQuestion, given?: ArrayBuffer[]): Promise<Tensors>;
  stop(): void;
}

/** The scripts lie beside this one, or beside the file that this one was bundled into; bundlers know the pattern. */
const scripts: Record<Device, () => Worker> = {
  wasm: () => new Worker(new URL("./wasm-worker.js", import.meta.url), { type: "module", name: "unembed-engine" }),
  webgpu: () => new Worker(new URL("./webgpu-worker.js", import.meta.url), { type: "module", name: "unembed-webgpu" }),
};

/** What onnxruntime says where its .wasm file cannot be had. */
const withoutWasm = /no available backend found|fetching of the wasm failed/i;

/** @returns a worker whose requests fail with an InputError if it cannot start */
export function startWorker(device: Device): PageWorker {
  const thread = scripts[device]();
  const requests = openRequests();
  thread.addEventListener("message", ({ data }: MessageEvent<WorkerReply>) => {
    if (data.error === undefined || !withoutWasm.test(data.error)) return requests.settle(data);
    requests.fail(notStarted(device, data.error));
  });
  thread.addEventListener("error", (event) => requests.fail(notStarted(device, event.message)));
  return {
    ask: (request, given = []) => requests.open((id) => thread.postMessage({ ...request, id }, given)),
    stop() {
      thread.terminate();
      requests.fail(new Error("the engine was closed"));
    },
  };
}

function notStarted(device: Device, reason: string | undefined): InputError {
  const files = `${device}-worker.js and the .wasm file beside it`;
  return new InputError("engine", `could not start: ${files} must be served with the page (${reason ?? "not found"})`);
}
