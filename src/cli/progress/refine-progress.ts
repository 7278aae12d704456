import { bar } from "./progress.js";

/** How far a refinement has come, on stderr. */
export interface RefineProgress {
  /** Of a curve: the share deleted whose refinement comes next. */
  begin(fraction: number): void;
  update(progress: { step: number; steps: number; heldOutKl: number }): void;
  /** Removes the bar. */
  stop(): void;
}

/** A bar with the KL of now on a terminal, a line for each look elsewhere. */
export function refineProgress(stream: NodeJS.WriteStream): RefineProgress {
  let drawn = false;
  let what = "refine";
  return {
    begin(fraction) {
      what = `refine ${Math.round(100 * fraction)}% deleted`;
    },
    update({ step, steps, heldOutKl }) {
      const found = `step ${step} of ${steps}: KL ${heldOutKl.toPrecision(3)} on contexts held out of the fit`;
      if (!stream.isTTY) {
        stream.write(`${what}, ${found}\n`);
        return;
      }
      stream.write(`\r${`${what} ${bar(step / steps)} ${found}`.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
      drawn = true;
    },
    stop() {
      if (drawn) stream.write("\r\x1b[K");
      drawn = false;
    },
  };
}

/** Progress that nobody sees (`--quiet`). */
export const noRefineProgress: RefineProgress = { begin() {}, update() {}, stop() {} };
