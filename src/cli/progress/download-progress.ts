import type { DownloadProgress } from "../../node/hub/repository.js";
import { bar } from "./progress.js";

const redrawMilliseconds = 100;
const megabyte = 1e6;

/** A bar for downloads on a terminal, a plain line at the end elsewhere. */
export function downloadProgress(stream: NodeJS.WriteStream): (progress: DownloadProgress) => void {
  let last = 0;
  return ({ received, total }) => {
    const done = received >= total;
    const now = performance.now();
    if (!done && (!stream.isTTY || now - last < redrawMilliseconds)) return;
    last = now;
    const line = `fetch ${bar(received / total)} ${(received / megabyte).toFixed(1)} of ${(total / megabyte).toFixed(1)} MB`;
    stream.write(stream.isTTY ? `\r${line}\x1b[K${done ? "\n" : ""}` : `${line}\n`);
  };
}
