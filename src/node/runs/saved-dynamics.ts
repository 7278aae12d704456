import { availableParallelism } from "node:os";
import type { Dynamics } from "../../dynamics/dynamics.js";
import { gramSession } from "../../engine/gram-session.js";
import { type DynamicsRunOptions, dynamicsRun } from "../../runs/dynamics-run.js";
import type { OpenedCheckpoints } from "../checkpoints/checkpoints.js";
import { type OpenEngineOptions, openEngine } from "../devices/open-engine.js";
import { keptProbes } from "./folder/kept-probes.js";
import { writeDynamicsRun } from "./write/dynamics-files.js";
import type { Asked } from "./write/run-record.js";

/** Dynamics that are written to a folder. */
export interface SaveDynamicsOptions
  extends Omit<DynamicsRunOptions, "gram" | "kept">,
    Pick<OpenEngineOptions, "device" | "precision" | "onPlacement"> {
  /** What run.json and the page name as what was asked for. Default: this call. */
  readonly asked?: Asked | undefined;
}

/**
 * The dynamics of a training run, into a folder: run.json, the tensors and the page. Goes on from the probes that an
 * interrupted run of the same inputs left there; where it is interrupted itself, it leaves the same.
 *
 *     const opened = await openCheckpoints(["run/steps"]);
 *     const frequencies = frequenciesFrom({ counts: "counts.npy" });
 *     const { onset } = await saveDynamics(opened, "dynamics", { frequencies });
 *
 * @throws InputError as dynamics, or if the folder cannot be written; the signal's reason when it is aborted
 */
export async function saveDynamics(
  opened: OpenedCheckpoints,
  out: string,
  {
    asked = callOf(out),
    threads = availableParallelism(),
    device,
    precision,
    onPlacement,
    ...options
  }: SaveDynamicsOptions,
): Promise<Dynamics> {
  const engine = await openEngine({ threads, device, precision, onPlacement });
  try {
    const { gram } = await gramSession(engine);
    const kept = keptProbes(out, asked, options.seed ?? 0);
    const run = await dynamicsRun(opened.checkpoints, { ...options, threads, gram, kept });
    const finished = { ...run, fetched: opened.fetched() };
    await writeDynamicsRun(out, finished, asked);
    await kept.remove();
    return finished;
  } finally {
    await engine.close();
  }
}

function callOf(out: string): Asked {
  return { command: `saveDynamics(checkpoints, ${JSON.stringify(out)})`, arguments: { out } };
}
