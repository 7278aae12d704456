import type { LoadOptions } from "../../node/load-model.js";
import type { RunLine } from "../progress/run-line.js";
import type { RunArguments } from "./common-options.js";

/** What a command computes with: threads, device and precision; where operators run is said on its line with `--verbose`. */
export function engineOptions(
  { threads, device, precision, verbose }: RunArguments,
  { onEvent }: RunLine,
): LoadOptions {
  return {
    threads,
    device,
    precision,
    ...(verbose && { onPlacement: (message) => onEvent({ type: "notice", message }) }),
  };
}
