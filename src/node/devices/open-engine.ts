import { type DeviceName, deviceNames, devices } from "../../engine/devices.js";
import type { Engine } from "../../engine/engine.js";
import { InputError } from "../../errors.js";
import type { EngineOptions, Precision } from "../engine/engine-options.js";
import { createEngine } from "../engine/onnx-engine.js";
import { goldenTolerance } from "./golden.js";
import { type DeviceTest, testDevice } from "./test-device.js";

/** A device, or "auto": the fastest that computes a golden right. */
export const deviceChoices = ["auto", ...deviceNames] as const;
/** One of them. */
export type DeviceChoice = (typeof deviceChoices)[number];

/** What an engine is to run on. */
export interface OpenEngineOptions extends Omit<EngineOptions, "device" | "fusedAttention"> {
  /** Default: what UNEMBED_DEVICE says, else cpu. */
  device?: DeviceChoice | undefined;
  /** Is told which device "auto" took. */
  onNotice?: ((message: string) => void) | undefined;
}

/** An engine on the device that is asked for. @throws InputError if it does not start or computes wrong numbers */
export async function openEngine({ device: asked, onNotice, ...options }: OpenEngineOptions): Promise<Engine> {
  const choice = asked ?? deviceOfEnvironment();
  if (choice === "auto") return fastest(options, onNotice);
  const { precision = "float32", threads } = options;
  requirePrecision(choice, precision);
  if (choice === "cpu") return createEngine(options);
  const test = await testDevice({ device: choice, threads, precision, timed: false });
  if (test.state === "works") return createEngine({ ...options, device: choice, fusedAttention: test.fusedAttention });
  if (test.state === "wrong" && precision === "float16") {
    onNotice?.(
      `float16 on ${choice} is off by ${test.difference.toPrecision(2)} of the largest number, more than ${goldenTolerance.float16}: float32 is taken`,
    );
    return openEngine({ ...options, device: choice, precision: "float32", onNotice });
  }
  throw new InputError(`device ${choice}`, trouble(test));
}

/** @throws InputError if the variable names no device */
function deviceOfEnvironment(): DeviceChoice {
  const value = process.env.UNEMBED_DEVICE;
  if (value === undefined || value === "") return "cpu";
  const known = deviceChoices.find((name) => name === value);
  if (known !== undefined) return known;
  throw new InputError("UNEMBED_DEVICE", `is ${JSON.stringify(value)}; known devices are ${deviceChoices.join(", ")}`);
}

/** What is wrong with a device that is not used. */
function trouble(test: DeviceTest): string {
  if (test.state === "missing") return `does not start: ${test.reason}`;
  const tolerance = goldenTolerance.float32;
  return `computes wrong numbers: a golden is off by ${test.difference.toPrecision(2)} of its largest number (${tolerance} is allowed); update its driver, or use --device cpu`;
}

function requirePrecision(device: DeviceName, precision: Precision): void {
  if (precision === "float32" || devices[device].float16) return;
  const able = deviceNames.filter((name) => devices[name].float16).join(", ");
  throw new InputError(`device ${device}`, `does not multiply in float16; --precision float16 is for ${able}`);
}

async function fastest(
  { precision = "float32", ...options }: Omit<OpenEngineOptions, "device" | "onNotice">,
  onNotice: OpenEngineOptions["onNotice"],
): Promise<Engine> {
  const { threads } = options;
  let best: { device: DeviceName; fusedAttention: boolean; speed: number } | undefined;
  const passed: string[] = [];
  for (const device of deviceNames) {
    const own = devices[device].float16 ? precision : "float32";
    const test = await testDevice({ device, threads, precision: own, timed: true });
    if (test.state === "wrong") passed.push(`${device} computes wrong numbers`);
    if (test.state !== "works") continue;
    const { fusedAttention, tokensPerSecond: speed = 0 } = test;
    passed.push(`${device} ${Math.round(speed)} tokens/s`);
    if (best === undefined || speed > best.speed) best = { device, fusedAttention, speed };
  }
  if (best === undefined) throw new InputError("device auto", "found no device that computes right");
  const { device, fusedAttention } = best;
  onNotice?.(`--device auto takes ${device} (${passed.join(", ")}, with the embedded model)`);
  const own = devices[device].float16 ? precision : "float32";
  return createEngine({ ...options, precision: own, device, ...(device !== "cpu" && { fusedAttention }) });
}
