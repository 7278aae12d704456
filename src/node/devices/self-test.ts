import type { DeviceName } from "../../engine/devices.js";
import { devices } from "../../engine/devices.js";
import type { Model } from "../../model/model.js";
import { collectStatistics } from "../../statistics/collect.js";
import type { Precision } from "../engine/engine-options.js";
import { createEngine } from "../engine/onnx-engine.js";
import { fusedAttentionIsRight } from "./attention-test.js";
import { goldenDifference, openEmbedded } from "./golden.js";

/** What a device is asked. */
export interface SelfTestQuestion {
  readonly device: DeviceName;
  readonly threads: number;
  readonly precision: Precision;
  /** Whether it is to be timed too. */
  readonly timed: boolean;
}

/** What a device that starts computes of the golden, and how fast it is. */
export interface SelfTestResult {
  /** Largest difference to PyTorch, as a share of the largest magnitude. */
  readonly difference: number;
  /** Whether attention in one operator is right there; it is used then. */
  readonly fusedAttention: boolean;
  /** Of the embedded model, layers and sums, in windows of 256. */
  readonly tokensPerSecond: number | undefined;
}

const windowLength = 256;
/** Seconds that are timed, or one window if that takes longer. */
const seconds = 1;

/** Starts a device in this process and tests it. @throws what the device says if it does not start */
export async function selfTest({ device, threads, precision, timed }: SelfTestQuestion): Promise<SelfTestResult> {
  const { fusedAttention: trusted } = devices[device].capabilities;
  const fusedAttention = trusted || (device === "webgpu" && (await fusedAttentionIsRight(device)));
  const engine = createEngine({ threads, device, precision, fusedAttention });
  try {
    const model = await openEmbedded(engine);
    const difference = await goldenDifference(model);
    return { difference, fusedAttention, tokensPerSecond: timed ? await speed(model) : undefined };
  } finally {
    await engine.close();
  }
}

async function speed(model: Model): Promise<number> {
  const pass = async (count: number) => {
    const started = performance.now();
    await collectStatistics(model, windows(count, model.vocabSize));
    return (performance.now() - started) / 1000;
  };
  // The first pass makes the graphs ready for this length.
  let count = 1;
  let last = await pass(count);
  while (last < seconds && count < 1024) {
    count *= last < seconds / 8 ? 4 : 2;
    last = await pass(count);
  }
  return (count * windowLength) / last;
}

async function* windows(count: number, vocabSize: number): AsyncGenerator<Int32Array> {
  for (let window = 0; window < count; window++) {
    yield Int32Array.from({ length: windowLength }, (_, i) => (7919 * i + 104_729 * window) % vocabSize);
  }
}
