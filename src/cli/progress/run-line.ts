import type { OnRunEvent, RunProgress } from "../../runs/run-events.js";
import { bar, duration } from "./progress.js";

const redrawMilliseconds = 100;
const lineMilliseconds = 10_000;
const megabyte = 1e6;

/** The one line on which every command shows what its run tells. */
export interface RunLine {
  readonly onEvent: OnRunEvent;
  /** Removes the line; called before anything else is printed, and at the end. */
  stop(): void;
}

/** A bar on a terminal, drawn anew in place; elsewhere a plain line now and then. Nothing if it is to be quiet. */
export function runLine(stream: NodeJS.WriteStream, { quiet = false }: { quiet?: boolean | undefined } = {}): RunLine {
  if (quiet) return { onEvent() {}, stop() {} };
  let phase = "";
  let started = 0;
  let last = Number.NEGATIVE_INFINITY;
  let drawn = false;
  const stop = () => {
    if (drawn) stream.write("\r\x1b[K");
    drawn = false;
  };
  return {
    stop,
    onEvent(event) {
      if (event.type === "notice") {
        stop();
        stream.write(`${event.message}\n`);
        return;
      }
      const now = performance.now();
      if (event.phase !== phase) {
        phase = event.phase;
        started = now;
        last = Number.NEGATIVE_INFINITY;
      }
      // Where lines stay, one that nothing is done yet would only take the place of the first that says something.
      if (!stream.isTTY && event.done === (event.resumedFrom ?? 0)) return;
      // Where lines stay, each that says something was found is one to keep.
      const kept = !stream.isTTY && event.found !== undefined;
      if (!kept && now - last < (stream.isTTY ? redrawMilliseconds : lineMilliseconds)) return;
      last = now;
      const line = progressText(event, (now - started) / 1000);
      if (!stream.isTTY) {
        stream.write(`${line}\n`);
        return;
      }
      stream.write(`\r${line.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
      drawn = true;
    },
  };
}

/** @param seconds since the phase began */
function progressText({ phase, done, total, unit, resumedFrom = 0, found }: RunProgress, seconds: number): string {
  const rate = (done - resumedFrom) / seconds;
  const speed = unit === "tokens" && seconds > 0 ? `${Math.round(rate).toLocaleString("en")} tokens/s` : undefined;
  if (total === undefined)
    return [phase, `${done.toLocaleString("en")} ${unit}`, speed, found].filter(Boolean).join(" ");
  const count =
    unit === "bytes"
      ? `${(done / megabyte).toFixed(1)} of ${(total / megabyte).toFixed(1)} MB`
      : unit === "tokens"
        ? `${Math.floor((100 * done) / total)}%`
        : `${done} of ${total}`;
  const left = rate > 0 && Number.isFinite(rate) ? `${duration((total - done) / rate)} left` : undefined;
  return [phase, bar(done / total), count, [speed, left].filter(Boolean).join(", "), found].filter(Boolean).join(" ");
}
