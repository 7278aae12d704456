import type { HubOptions } from "../hub/repository.js";

/** How checkpoints are opened, in folders and on the hub alike. */
export interface CheckpointOptions extends HubOptions {
  /** Name of the output embedding in the checkpoints. Default: the usual names are tried. */
  tensor?: string | undefined;
}
