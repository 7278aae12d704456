import type { DeviceName } from "../../engine/devices.js";

/** What an engine runs on, and with how much of it. */
export interface EngineOptions {
  /** Processor cores to use. */
  threads: number;
  /** Default: cpu. Taken as it is: `openEngine` starts and tests it first. */
  device?: DeviceName | undefined;
  /** Attention in one operator, where the device in hand computes it right. Default: as its kind is said to. */
  fusedAttention?: boolean | undefined;
  /** Weights and their products in float16, on devices that have these. Default: float32. */
  precision?: Precision | undefined;
  /** Write onnxruntime's profile of every session to files with this prefix. */
  profile?: string | undefined;
  /** Is told of each graph which of its operators run on the processor instead of the device. */
  onPlacement?: ((line: string) => void) | undefined;
}

/** Number type of weights in products. */
export type Precision = "float32" | "float16";
