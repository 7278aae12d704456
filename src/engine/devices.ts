import { type EngineCapabilities, processorCapabilities } from "./capabilities.js";

/** What can compute, by the names that `--device` takes. */
export const deviceNames = ["cpu", "webgpu", "cuda", "coreml", "dml"] as const;
/** One of them. */
export type DeviceName = (typeof deviceNames)[number];

/** One kind of device: what it is, what it can, and how to get it. */
export interface DeviceKind {
  /** For people: what it is. */
  readonly title: string;
  /** What graphs for it are built of. */
  readonly capabilities: EngineCapabilities;
  /** Whether graphs may multiply in float16 there: `--precision float16`. */
  readonly float16: boolean;
  /** What to install, in one line, where it does not start. */
  readonly missing: string;
}

/** A card's library works through one run after another. */
const oneAtATime = { float16Products: false, concurrency: 1, externalData: "files" } as const;

/**
 * The one table of what devices have. Asked of onnxruntime 1.30 by running its providers (webgpu on Vulkan), or from its
 * documentation (cuda, coreml, dml: no such device was at hand):
 * - webgpu has no float64 at all and no FusedMatMul; its fused attention gives wrong numbers on some adapters from 32
 *   tokens on, so that it is taken only where a test of the adapter finds it right (`attention-test.ts`).
 * - cuda has them all. coreml and dml lack float64 or leave it to the processor, and coreml FusedMatMul and attention too.
 */
export const devices: Record<DeviceName, DeviceKind> = {
  cpu: {
    title: "this machine's processor",
    capabilities: processorCapabilities,
    float16: false,
    missing: "it comes with onnxruntime-node",
  },
  webgpu: {
    title: "a graphics card of any vendor, by Vulkan, Metal or Direct3D 12",
    capabilities: {
      ...oneAtATime,
      float64: false,
      fusedProducts: false,
      fusedAttention: false,
      float16: true,
    },
    float16: true,
    missing:
      "needs a graphics card and its driver: on Linux one for Vulkan 1.3 (Mesa 24 or later, or the vendor's; Debian 12's own Mesa 22.3 is too old, that of bookworm-backports is not)",
  },
  cuda: {
    title: "an NVIDIA card",
    capabilities: { ...oneAtATime, float64: true, fusedProducts: true, fusedAttention: true, float16: true },
    float16: true,
    missing:
      "needs CUDA 12, cuDNN 9 and onnxruntime's own library for them: ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install (Linux x64; docs/install.md)",
  },
  coreml: {
    title: "Apple's GPU and neural engine",
    capabilities: { ...oneAtATime, float64: false, fusedProducts: false, fusedAttention: false, float16: true },
    float16: false,
    missing: "is part of onnxruntime-node on macOS alone",
  },
  dml: {
    title: "a graphics card by DirectML",
    capabilities: { ...oneAtATime, float64: false, fusedProducts: false, fusedAttention: false, float16: true },
    float16: true,
    missing: "is part of onnxruntime-node on Windows alone",
  },
};
