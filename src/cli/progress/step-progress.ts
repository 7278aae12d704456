import type { DynamicsProgress } from "../../dynamics/watch.js";
import type { DownloadProgress } from "../../node/hub/repository.js";
import { downloadProgress } from "./download-progress.js";
import { bar } from "./progress.js";

/** Progress of a run over checkpoints, on stderr. */
export interface StepProgress {
  update(progress: DynamicsProgress): void;
  /** What was downloaded meanwhile, on the same line. */
  fetched(progress: DownloadProgress): void;
  /** Removes the bar. */
  stop(): void;
}

const redrawMilliseconds = 100;

/** A bar on a terminal, with the downloads' beside it; elsewhere a line for each checkpoint probed. */
export function stepProgress(stream: NodeJS.WriteStream): StepProgress {
  const plainDownloads = downloadProgress(stream);
  let drawn = false;
  let last = 0;
  let steps = "";
  let downloads = "";
  const draw = (now: boolean) => {
    const time = performance.now();
    if (!now && time - last < redrawMilliseconds) return;
    last = time;
    const line = [steps, downloads].filter((part) => part !== "").join("  ");
    stream.write(`\r${line.slice(0, (stream.columns || 80) - 1)}\x1b[K`);
    drawn = true;
  };
  return {
    update({ phase, done, total, probe }) {
      const found = probe && `step ${probe.step}: cross-validated R2 ${probe.crossValidatedR2.toFixed(4)}`;
      if (!stream.isTTY) {
        if (found) stream.write(`${done} of ${total}, ${found}\n`);
        return;
      }
      // Beside a download's, the number found does not fit any more.
      steps = `${phase} ${bar(done / total)} ${done} of ${total}${found && downloads === "" ? ` ${found}` : ""}`;
      draw(done >= total);
    },
    fetched(progress) {
      if (!stream.isTTY) {
        plainDownloads(progress);
        return;
      }
      const { received, total } = progress;
      downloads = received < total ? `fetched ${(received / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB` : "";
      draw(downloads === "");
    },
    stop() {
      if (drawn) stream.write("\r\x1b[K");
      drawn = false;
    },
  };
}

/** Progress that nobody sees (`--quiet`). */
export const noStepProgress: StepProgress = { update() {}, fetched() {}, stop() {} };
