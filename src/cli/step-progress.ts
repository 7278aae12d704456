import type { DynamicsProgress } from "../dynamics/watch.js";
import { bar } from "./progress.js";

/** Progress of a run over checkpoints, on stderr. */
export interface StepProgress {
  update(progress: DynamicsProgress): void;
  /** Removes the bar. */
  stop(): void;
}

const redrawMilliseconds = 100;

/** A bar on a terminal; elsewhere a line for each checkpoint probed. */
export function stepProgress(stream: NodeJS.WriteStream): StepProgress {
  let drawn = false;
  let last = 0;
  return {
    update({ phase, done, total, probe }) {
      const found = probe && `step ${probe.step}: cross-validated R2 ${probe.crossValidatedR2.toFixed(4)}`;
      if (!stream.isTTY) {
        if (found) stream.write(`${done} of ${total}, ${found}\n`);
        return;
      }
      const now = performance.now();
      if (done < total && now - last < redrawMilliseconds) return;
      last = now;
      const line = `${phase} ${bar(done / total)} ${done} of ${total} ${found ?? ""}`;
      stream.write(`\r${line.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
      drawn = true;
    },
    stop() {
      if (drawn) stream.write("\r\x1b[K");
      drawn = false;
    },
  };
}

/** Progress that nobody sees (`--quiet`). */
export const noStepProgress: StepProgress = { update() {}, stop() {} };
