import { bar } from "./progress.js";

/** How far a refinement has come, on stderr. */
export interface RefineProgress {
  update(progress: { step: number; steps: number; heldOutKl: number }): void;
  /** Removes the bar. */
  stop(): void;
}

/** A bar with the KL of now on a terminal, a line for each look elsewhere. */
export function refineProgress(stream: NodeJS.WriteStream): RefineProgress {
  let drawn = false;
  return {
    update({ step, steps, heldOutKl }) {
      const found = `step ${step} of ${steps}: KL ${heldOutKl.toPrecision(3)} on contexts held out of the fit`;
      if (!stream.isTTY) {
        stream.write(`refine ${found}\n`);
        return;
      }
      stream.write(`\r${`refine ${bar(step / steps)} ${found}`.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
      drawn = true;
    },
    stop() {
      if (drawn) stream.write("\r\x1b[K");
      drawn = false;
    },
  };
}

/** Progress that nobody sees (`--quiet`). */
export const noRefineProgress: RefineProgress = { update() {}, stop() {} };
