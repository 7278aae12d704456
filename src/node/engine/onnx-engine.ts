import { processorCapabilities } from "../../engine/capabilities.js";
import { devices } from "../../engine/devices.js";
import type { Engine } from "../../engine/engine.js";
import type { EngineOptions } from "./engine-options.js";
import { workerSessions } from "./worker-sessions.js";

/**
 * onnxruntime on this machine's processor, or on a device: graphs that were built for the device's capabilities run there,
 * all others on the processor. Weights on disk are mapped where they lie.
 */
export function createEngine({ device = "cpu", fusedAttention, precision, ...options }: EngineOptions): Engine {
  const { threads, onPlacement } = options;
  const processor = workerSessions({ ...options, device: "cpu" });
  if (device === "cpu") return { ...processor, threads, capabilities: processorCapabilities };
  const own = devices[device].capabilities;
  const capabilities = {
    ...own,
    fusedAttention: fusedAttention ?? own.fusedAttention,
    float16Products: precision === "float16",
  };
  const card = workerSessions({ ...options, device });
  return {
    threads,
    capabilities,
    load(graph, choice) {
      if (graph.capabilities === capabilities) return card.load(graph, choice);
      onPlacement?.(`${graph.name}: all on the processor, which it is built for`);
      return processor.load(graph, choice);
    },
    async close() {
      await Promise.all([card.close(), processor.close()]);
    },
  };
}
