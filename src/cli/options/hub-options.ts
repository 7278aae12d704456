import type { HubOptions } from "../../node/hub/repository.js";
import { downloadProgress } from "../progress/download-progress.js";

/** What a command wants of the hub: a bar and notices on stderr unless it is to be quiet, and an end at Ctrl-C. */
export function hubOptions({ quiet }: { quiet?: boolean }, signal: AbortSignal): HubOptions {
  if (quiet) return { signal };
  return { signal, onProgress: downloadProgress(process.stderr), onNotice: (message) => console.error(message) };
}
