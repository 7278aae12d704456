import { type DeviceName, devices } from "../../engine/devices.js";
import type { Precision } from "../engine/engine-options.js";
import { goldenTolerance } from "./golden.js";
import { type DeviceTest, testDevice } from "./test-device.js";

/** What is known of a device on this machine after its test, as `unembed devices --json` prints it. */
export interface TestedDevice {
  readonly device: DeviceName;
  /** What it is. */
  readonly title: string;
  readonly state: DeviceTest["state"];
  /** Largest difference to PyTorch's golden as a share of its largest number; null if it does not start, or is infinite. */
  readonly difference: number | null;
  /** What is allowed. */
  readonly tolerance: number;
  /** Whether attention runs in one operator, instead of in single steps. */
  readonly fusedAttention: boolean | null;
  /** Of the embedded model. */
  readonly tokensPerSecond: number | null;
  /** Why it does not start, and what to install. */
  readonly reason: string | null;
}

/** Tests devices one after another, each in a process of its own. @param names which */
export async function* testedDevices(
  names: readonly DeviceName[],
  { threads, precision }: { readonly threads: number; readonly precision: Precision },
): AsyncGenerator<TestedDevice> {
  for (const device of names) {
    const own = devices[device].float16 ? precision : "float32";
    const test = await testDevice({ device, threads, precision: own, timed: true });
    const { title } = devices[device];
    const common = { device, title, state: test.state, tolerance: goldenTolerance[own] };
    if (test.state === "missing") {
      const { reason } = test;
      yield { ...common, difference: null, fusedAttention: null, tokensPerSecond: null, reason };
      continue;
    }
    const { difference, fusedAttention, tokensPerSecond = null } = test;
    yield {
      ...common,
      difference: Number.isFinite(difference) ? difference : null,
      ...{ fusedAttention, tokensPerSecond, reason: null },
    };
  }
}
