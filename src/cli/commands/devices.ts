import { availableParallelism } from "node:os";
import { Argument, Command } from "commander";
import { type DeviceName, deviceNames } from "../../engine/devices.js";
import { InputError } from "../../errors.js";
import { type TestedDevice, testedDevices } from "../../node/devices/tested-devices.js";
import type { Precision } from "../../node/engine/engine-options.js";
import { type PrintArguments, precisionOption, printOptions, threadsOption } from "../options/common-options.js";
import { runLine } from "../progress/run-line.js";
import { devicesTable } from "../tables/devices-table.js";

interface DevicesArguments extends PrintArguments {
  threads?: number;
  precision: Precision;
}

const examples = `
Each device that starts computes 40 tokens with the embedded model, which are compared with PyTorch's numbers, and is timed
on more of them. "off by" is the largest difference as a share of the largest number. Exit code 0 if all that start are
right, 1 if one is wrong, or one that was named does not start.

Examples:
  unembed devices                what is there, what works, how fast
  unembed devices webgpu         a graphics card alone
  unembed devices --json | jq '.devices[] | select(.state == "works").device'`;

/** `unembed devices`. */
export function devicesCommand(signal: AbortSignal): Command {
  const command = new Command("devices")
    .summary("what can compute here, whether it is right, and how fast")
    .description("Tests the processor and graphics cards: does each start, is it right, how fast is it.")
    .addArgument(new Argument("[device...]", "the devices to test (default: all)").choices(deviceNames))
    .addOption(threadsOption())
    .addOption(precisionOption());
  return printOptions(command)
    .addHelpText("after", examples)
    .action((names: DeviceName[], args: DevicesArguments) => runDevices(names, args, signal));
}

async function runDevices(names: readonly DeviceName[], args: DevicesArguments, signal: AbortSignal): Promise<void> {
  const line = runLine(process.stderr, args);
  const { threads = availableParallelism(), precision } = args;
  const wanted = names.length > 0 ? deviceNames.filter((name) => names.includes(name)) : deviceNames;
  const found: TestedDevice[] = [];
  const progress = () =>
    line.onEvent({ type: "progress", phase: "test", done: found.length, total: wanted.length, unit: "devices" });
  try {
    progress();
    for await (const device of testedDevices(wanted, { threads, precision })) {
      signal.throwIfAborted();
      found.push(device);
      progress();
    }
  } finally {
    line.stop();
  }
  if (args.json) console.log(JSON.stringify({ threads, precision, devices: found }));
  else if (!args.quiet) console.log(devicesTable(found));
  const bad = found.find(({ device, state }) => state === "wrong" || (state === "missing" && names.includes(device)));
  if (bad === undefined) return;
  const why = bad.reason ?? `computes wrong numbers: a golden is off by ${bad.difference ?? "more than any number"}`;
  throw new InputError(`device ${bad.device}`, why);
}
