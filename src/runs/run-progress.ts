import type { RefineProgress } from "../reduction/methods/refine.js";
import type { OnRunEvent, RunProgress } from "./run-events.js";

/** A function that tells how much of one phase is done. */
export function progressOf(
  onEvent: OnRunEvent | undefined,
  phase: string,
  unit: RunProgress["unit"],
  total?: number | undefined,
): (done: number) => void {
  return (done) => onEvent?.({ type: "progress", phase, done, total, unit });
}

/** Tells how far a refinement is, and how good. */
export function refineProgressOf(onEvent: OnRunEvent | undefined, phase: string): (progress: RefineProgress) => void {
  return ({ step, steps, heldOutKl }) => {
    const found = `KL ${heldOutKl.toPrecision(3)} on contexts held out of the fit`;
    onEvent?.({ type: "progress", phase, done: step, total: steps, unit: "steps", found });
  };
}
