import type { RunProgress } from "../../runs/run-events.js";
import type { Pace } from "./pace.js";

const barWidth = 24;
const megabyte = 1e6;

/** What a line says of how far something is: `analyze [####----] 48% 1,234 tokens/s, 42 s left`. */
export function progressText({ phase, done, total, unit, found }: RunProgress, { rate, secondsLeft }: Pace): string {
  const speed =
    rate !== undefined && unit === "tokens" ? `${Math.round(rate).toLocaleString("en")} tokens/s` : undefined;
  const left = secondsLeft === undefined ? undefined : `${duration(secondsLeft)} left`;
  const pace = [speed, left].filter(Boolean).join(", ");
  const parts =
    total === undefined
      ? [phase, amount(done, unit), pace, found]
      : [phase, bar(done / total), share(done, total, unit), pace, found];
  return parts.filter(Boolean).join(" ");
}

/** What stands beside another line: `fetched 1.2 of 3.4 MB`. */
export function besideText({ done, total, unit }: RunProgress): string {
  return `fetched ${total === undefined ? amount(done, unit) : share(done, total, unit)}`;
}

function amount(done: number, unit: RunProgress["unit"]): string {
  return unit === "bytes" ? `${(done / megabyte).toFixed(1)} MB` : `${done.toLocaleString("en")} ${unit}`;
}

function share(done: number, total: number, unit: RunProgress["unit"]): string {
  if (unit === "bytes") return `${(done / megabyte).toFixed(1)} of ${(total / megabyte).toFixed(1)} MB`;
  // An estimated total may come out too low.
  if (unit === "tokens") return `${Math.min(100, Math.floor((100 * done) / total))}%`;
  return `${done} of ${total}`;
}

/** @param share from 0 to 1 */
function bar(share: number): string {
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
