import { bar } from "./progress.js";

/** How many points of a curve are measured, on stderr. */
export interface CurveProgress {
  update(done: number, total: number): void;
  /** Removes the bar. */
  stop(): void;
}

/** A bar on a terminal, a line for each method elsewhere. */
export function curveProgress(stream: NodeJS.WriteStream): CurveProgress {
  let drawn = false;
  return {
    update(done, total) {
      const line = `curve ${bar(done / total)} ${done} of ${total} points`;
      stream.write(stream.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
      drawn = stream.isTTY;
    },
    stop() {
      if (drawn) stream.write("\r\x1b[K");
      drawn = false;
    },
  };
}

/** Progress that nobody sees (`--quiet`). */
export const noCurveProgress: CurveProgress = { update() {}, stop() {} };
