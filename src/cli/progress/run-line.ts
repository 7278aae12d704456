import type { OnRunEvent, RunProgress } from "../../runs/run-events.js";
import { type PaceMeter, paceMeter } from "./pace.js";
import { besideText, progressText } from "./progress-text.js";

const redrawMilliseconds = 100;
const lineMilliseconds = 10_000;

/** The one line on which every command shows what its run tells. */
export interface RunLine {
  readonly onEvent: OnRunEvent;
  /** Removes the line; called before anything else is printed, and at the end. */
  stop(): void;
}

export interface RunLineOptions {
  quiet?: boolean | undefined;
  /** Milliseconds, on a clock that does not go back. */
  now?: () => number;
}

type Stream = Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns">;

/** A bar on a terminal, drawn anew in place; elsewhere a plain line now and then. Nothing if it is to be quiet. */
export function runLine(
  stream: Stream,
  { quiet = false, now = () => performance.now() }: RunLineOptions = {},
): RunLine {
  if (quiet) return { onEvent() {}, stop() {} };
  return stream.isTTY ? drawnLine(stream, now) : plainLines(stream, now);
}

function drawnLine(stream: Stream, now: () => number): RunLine {
  const pace = pacesByPhase();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let phase: string | undefined;
  let drawn = false;
  /** What goes on at once: the work, and files that are fetched for it. */
  let work: string | undefined;
  let fetching: RunProgress | undefined;
  const stop = () => {
    if (drawn) stream.write("\r\x1b[K");
    drawn = false;
    [work, fetching] = [undefined, undefined];
  };
  return {
    stop,
    onEvent(event) {
      if (event.type === "notice") {
        stop();
        stream.write(`${event.message}\n`);
        return;
      }
      const time = now();
      const measured = pace(event).measure(event.done, event.total, time / 1000);
      const isDone = event.total !== undefined && event.done >= event.total;
      if (event.unit === "bytes") fetching = isDone ? undefined : event;
      // Beside a download there is no room for what was found.
      else work = progressText(fetching ? { ...event, found: undefined } : event, measured);
      const fetched = isDone && event.unit === "bytes";
      if (event.phase === phase && !fetched && time - drawnAt < redrawMilliseconds) return;
      [drawnAt, phase] = [time, event.phase];
      const own = work ?? progressText(event, measured);
      const line = work !== undefined && fetching ? `${own}  ${besideText(fetching)}` : own;
      stream.write(`\r${line.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
      drawn = true;
    },
  };
}

/** Where lines stay: one for each thing found, for each file fetched, and now and then for what takes long. */
function plainLines(stream: Stream, now: () => number): RunLine {
  const pace = pacesByPhase();
  let phase: string | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  return {
    stop() {},
    onEvent(event) {
      if (event.type === "notice") {
        stream.write(`${event.message}\n`);
        return;
      }
      const time = now();
      const measured = pace(event).measure(event.done, event.total, time / 1000);
      // One that nothing is done yet would only take the place of the first that says something.
      if (event.done === (event.resumedFrom ?? 0)) return;
      if (event.unit === "bytes") {
        if (event.total === undefined || event.done < event.total) return;
      } else {
        const isDue = event.phase !== phase || time - writtenAt >= lineMilliseconds;
        if (!isDue && event.found === undefined) return;
        [phase, writtenAt] = [event.phase, time];
      }
      stream.write(`${progressText(event, measured)}\n`);
    },
  };
}

/** The meter of what an event is about; a phase that begins has a new one. */
function pacesByPhase(): (event: RunProgress) => PaceMeter {
  let work = { phase: "", meter: paceMeter() };
  const fetched = paceMeter();
  return ({ phase, unit }) => {
    if (unit === "bytes") return fetched;
    if (phase !== work.phase) work = { phase, meter: paceMeter() };
    return work.meter;
  };
}
