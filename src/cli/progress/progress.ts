/** How often a terminal's bar is drawn anew, and how often a plain line is written elsewhere. */
const redrawMilliseconds = 100;
const lineMilliseconds = 10_000;
const barWidth = 24;

/** Progress of work, on stderr. */
export interface Progress {
  /** @param done so far @param total undefined while it is not known */
  update(done: number, total: number | undefined): void;
  /** Removes the bar. */
  stop(): void;
}

/** A bar with tokens/s and the time left on a terminal, plain lines elsewhere. */
export function tokenProgress(stream: NodeJS.WriteStream, label: string, resumedFrom = 0): Progress {
  return lineProgress(stream, (done, total, seconds) => {
    return `${label} ${progressLine(done, total, (done - resumedFrom) / seconds)}`;
  });
}

function lineProgress(
  stream: NodeJS.WriteStream,
  lineOf: (done: number, total: number | undefined, seconds: number) => string,
): Progress {
  const started = performance.now();
  let last = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, total) {
      const now = performance.now();
      if (now - last < (stream.isTTY ? redrawMilliseconds : lineMilliseconds)) return;
      last = now;
      const line = lineOf(done, total, (now - started) / 1000);
      if (!stream.isTTY) {
        stream.write(`${line}\n`);
        return;
      }
      stream.write(`\r${line.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
      drawn = true;
    },
    stop() {
      if (drawn) stream.write("\r\x1b[K");
    },
  };
}

/** Progress that nobody sees (`--quiet`). */
export const noProgress: Progress = { update() {}, stop() {} };

/** @param rate tokens a second */
function progressLine(done: number, total: number | undefined, rate: number): string {
  const speed = `${Math.round(rate).toLocaleString("en")} tokens/s`;
  if (total === undefined) return `${done.toLocaleString("en")} tokens, ${speed}`;
  const share = Math.min(1, done / total);
  const left = rate > 0 ? duration((total - done) / rate) : "?";
  return `${bar(share)} ${Math.floor(100 * share)}% ${speed}, ${left} left`;
}

/** @param share from 0 to 1 */
export function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * barWidth);
  return `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}]`;
}

/** Seconds as people say them: 42 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
