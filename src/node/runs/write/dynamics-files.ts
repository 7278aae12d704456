import type { Dynamics, Probe } from "../../../dynamics/dynamics.js";
import { summarizeDynamics } from "../../../dynamics/summary.js";
import { renderDynamicsReport } from "../../../report/dynamics/dynamics-report.js";
import { type TensorData, writeSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { writeFolderAtomic } from "../../files/write-atomic.js";
import { version } from "../../version.js";
import { type Asked, runRecord } from "./run-record.js";

/**
 * Writes run.json, tensors.safetensors and report.html of a training run's dynamics (docs/run-schema.md), all or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeDynamicsRun(folder: string, run: Dynamics, asked: Asked): Promise<void> {
  const { seed, model, threads, seconds, fetched } = run;
  const results = { ...summarizeDynamics(run), convergence: run.convergence ?? null, log: run.log ?? null };
  const made = { threads, seconds, fetched: fetched ?? null };
  const { file, provenance } = runRecord("dynamics", asked, { seed, model, results }, made);
  await writeFolderAtomic(folder, [
    file,
    ["tensors.safetensors", dynamicsTensors(run)],
    ["report.html", renderDynamicsReport(run, provenance)],
  ]);
}

function dynamicsTensors({ probes, frequencies }: Dynamics): Uint8Array {
  const steps = probes.length;
  const d = probes[0]!.slopes.length;
  const rows = frequencies.tokenIds.length;
  const stacked = (name: string, width: number, of: (probe: Probe) => Float64Array): TensorData => {
    const data = new Float64Array(steps * width);
    for (const [k, probe] of probes.entries()) data.set(of(probe), k * width);
    return { name, dtype: "F64", shape: [steps, width], data };
  };
  const fitted = new Float32Array(steps * rows);
  for (const [k, probe] of probes.entries()) fitted.set(probe.fitted, k * rows);
  return writeSafetensors(
    [
      { name: "steps", dtype: "F64", shape: [steps], data: Float64Array.from(probes, ({ step }) => step) },
      {
        name: "intercepts",
        dtype: "F64",
        shape: [steps],
        data: Float64Array.from(probes, ({ intercept }) => intercept),
      },
      stacked("slopes", d, (probe) => probe.slopes),
      stacked("saliency", d, (probe) => probe.saliency),
      { name: "fitted", dtype: "F32", shape: [steps, rows], data: fitted },
      { name: "observed", dtype: "F64", shape: [rows], data: frequencies.observed },
      { name: "token_ids", dtype: "I32", shape: [rows], data: frequencies.tokenIds },
    ],
    { unembed: version, frequencies: frequencies.kind },
  );
}
