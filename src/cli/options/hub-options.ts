import type { HubOptions } from "../../node/hub/repository.js";
import type { RunLine } from "../progress/run-line.js";

/** What a command wants of the hub: downloads and notices on its line, and an end at Ctrl-C. */
export function hubOptions({ onEvent }: RunLine, signal: AbortSignal): HubOptions {
  return {
    signal,
    onProgress: ({ received, total }) =>
      onEvent({ type: "progress", phase: "fetch", done: received, total, unit: "bytes" }),
    onNotice: (message) => onEvent({ type: "notice", message }),
  };
}
