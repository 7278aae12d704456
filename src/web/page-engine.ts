import { type EngineCapabilities, processorCapabilities } from "../engine/capabilities.js";
import { devices } from "../engine/devices.js";
import type { Engine, Session } from "../engine/engine.js";
import type { Graph } from "../engine/graph.js";
import { maxReplicatedBytes, pooledSession } from "../engine/worker-pool.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { loadingBytes, requireRoom } from "./engine/page-memory.js";
import { type Device, type PageWorker, startWorker } from "./start-worker.js";

/** A worker and the bytes that its sessions hold. */
interface Slot {
  readonly worker: PageWorker;
  bytes: number;
}

/** onnxruntime on the processor in a page: workers of one thread each, which needs no cross-origin isolation. */
export function createPageEngine(threads: number): Engine {
  return workersEngine("wasm", threads, { ...processorCapabilities, externalData: "bytes" });
}

/** onnxruntime on the graphics card: one worker, whose runs follow one another. */
export function createWebGpuEngine({ float16 }: { float16: boolean }): Engine {
  return workersEngine("webgpu", 1, { ...devices.webgpu.capabilities, float16, externalData: "bytes" });
}

function workersEngine(device: Device, threads: number, capabilities: EngineCapabilities): Engine {
  const slots: Slot[] = [];
  const slot = (index: number): Slot => {
    slots[index] ??= { worker: startWorker(device), bytes: 0 };
    return slots[index];
  };
  let nextSession = 0;
  // Started at once: they compile onnxruntime while the model's files are on their way.
  for (let index = 0; index < threads; index++) slot(index);

  /** The worker with the most room: one that holds nothing is only started for what does not fit beside others. */
  function roomiest(bytes: number): Slot {
    const least = slots.reduce((best, each) => (each.bytes < best.bytes ? each : best), slot(0));
    if (least.bytes > 0 && slots.length < threads && bytes > maxReplicatedBytes) return slot(slots.length);
    return least;
  }

  return {
    threads,
    capabilities,
    async load(graph, { oneAtATime = false } = {}) {
      const id = nextSession++;
      const bytes = loadingBytes(graph);
      const replicated = !oneAtATime && graph.weightBytes * (threads - 1) <= maxReplicatedBytes;
      const chosen = replicated ? Array.from({ length: threads }, (_, index) => slot(index)) : [roomiest(bytes)];
      for (const each of chosen) {
        requireRoom([...graph.sources][0]?.name ?? "model", each.bytes + bytes);
        each.bytes += bytes;
      }
      const giveBack = () => {
        for (const each of chosen) each.bytes -= bytes;
      };
      try {
        await Promise.all(chosen.map(({ worker }) => loadInto(worker, id, graph)));
      } catch (error) {
        giveBack();
        throw error;
      }
      return releasedOnce(
        pooledSession(
          id,
          chosen.map(({ worker }) => worker),
        ),
        giveBack,
      );
    },
    async close() {
      for (const { worker } of slots.splice(0)) worker.stop();
    },
  };
}

function releasedOnce(session: Session, afterwards: () => void): Session {
  let released = false;
  return {
    ...session,
    async release() {
      if (released) return;
      released = true;
      await session.release();
      afterwards();
    },
  };
}

/** Of the files only the graph's own weights are read, once for each worker: what one is given, it keeps. */
async function loadInto(worker: PageWorker, session: number, graph: Graph): Promise<void> {
  const paths = new Map<TensorEntry, string>(graph.weights.map(({ tensor }, index) => [tensor, `weight-${index}`]));
  const encoded = graph.encode((tensor) => ({ location: paths.get(tensor)!, offset: 0 }));
  const weights: { path: string; data: Uint8Array<ArrayBuffer> }[] = [];
  for (const [{ source, offset, byteLength }, path] of paths) {
    // A copy: what a source gives may be a part of what it keeps, and the worker takes the whole.
    weights.push({ path, data: new Uint8Array(await source.read(offset, byteLength)) });
  }
  const given = weights.map(({ data }) => data.buffer);
  await worker.ask({ kind: "load", session, graph: encoded, weights }, given);
}
