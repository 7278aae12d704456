import type { Asked, RunKind } from "../write/run-record.js";

/** In a run's folder: what an analysis has reached. */
export const unfinishedFile = "unfinished.safetensors";
/** In a run's folder: what a run over checkpoints has reached, a file each. */
export const unfinishedFolder = "unfinished";

/** What an unfinished run says of itself in its files' metadata, for whoever finds them. */
export function runMetadata(kind: RunKind, asked: Asked): { run: string } {
  return { run: JSON.stringify({ kind, ...asked }) };
}
