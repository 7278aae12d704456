import type { Dynamics } from "../dynamics/dynamics.js";
import type { Checkpoint } from "../dynamics/inputs/checkpoint.js";
import { type DynamicsOptions, dynamics } from "../dynamics/watch.js";
import type { OnRunEvent } from "./run-events.js";

/** How checkpoints are regressed on, and who is told. */
export interface DynamicsRunOptions extends Omit<DynamicsOptions, "onProgress" | "onNotice"> {
  readonly onEvent?: OnRunEvent | undefined;
}

/**
 * The dynamics of a training run, telling how far it is, and what is left out.
 * @throws InputError if the checkpoints do not belong together, or the frequencies are not of their tokens
 */
export function dynamicsRun(
  checkpoints: readonly Checkpoint[],
  { onEvent, ...options }: DynamicsRunOptions,
): Promise<Dynamics> {
  const onNotice = (message: string) => onEvent?.({ type: "notice", message });
  return dynamics(checkpoints, {
    ...options,
    async frequencies(vocabSize) {
      const frequencies = await options.frequencies(vocabSize);
      const { paddingRows } = frequencies;
      if (paddingRows > 0) {
        onNotice(`${paddingRows} of ${vocabSize} rows stand for no token (padding) and are left out`);
      }
      return frequencies;
    },
    onProgress({ phase, done, total, probe }) {
      const found = probe && `step ${probe.step}: cross-validated R2 ${probe.crossValidatedR2.toFixed(4)}`;
      onEvent?.({ type: "progress", phase, done, total, unit: "checkpoints", found });
    },
    onNotice,
  });
}
