import { createHash } from "node:crypto";
import { mkdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Frequencies, Probe } from "../../../dynamics/dynamics.js";
import type { Checkpoint } from "../../../dynamics/inputs/checkpoint.js";
import type { KeptProbes } from "../../../dynamics/watch.js";
import { readSafetensorsHeader, readTensorFloat64, type TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { openFileSource } from "../../files/file-source.js";
import { writeFileAtomic } from "../../files/write-atomic.js";
import { version } from "../../version.js";
import type { Asked } from "../write/run-record.js";
import { runMetadata, unfinishedFolder } from "./unfinished-names.js";

/**
 * Probes kept in a run's folder while it is not finished, one file a checkpoint, so that the same run can go on from them.
 * @param asked what is said of the run to who finds its folder
 * @param seed that of the run, on which its probes depend as on the frequencies and the checkpoints
 */
export function keptProbes(folder: string, asked: Asked, seed: number): KeptProbes & { remove(): Promise<void> } {
  const place = join(folder, unfinishedFolder);
  const written = new Set<string>();
  const pathOf = ({ step }: { step: number }) => join(place, `probe-${step}.safetensors`);
  const keyOf = async (name: string, entry: TensorEntry, used: Frequencies) => {
    const given = { seed, frequencies: digest(used) };
    return createHash("sha256")
      .update(JSON.stringify([version, given, name, entry.name, entry.shape, await identity(entry)]))
      .digest("hex");
  };
  return {
    async load(checkpoint: Checkpoint, entry, frequencies) {
      try {
        const { tensors, metadata } = await readSafetensorsHeader(await openFileSource(pathOf(checkpoint)));
        if (metadata.key !== (await keyOf(checkpoint.name, entry, frequencies))) return undefined;
        const numbers = async (name: string) => readTensorFloat64(tensors.get(name)!);
        const probe: Probe = {
          ...(JSON.parse(metadata.probe!) as Omit<Probe, VectorName>),
          slopes: await numbers("slopes"),
          saliency: await numbers("saliency"),
          varianceShare: await numbers("variance_share"),
          fitted: await numbers("fitted"),
          groups: { heldOut: await numbers("held_out"), total: await numbers("total") },
        };
        written.add(pathOf(checkpoint));
        return probe;
      } catch {
        // Missing, or whatever is wrong with it: it is probed again.
        return undefined;
      }
    },
    async save(probe, entry, frequencies) {
      const { slopes, saliency, varianceShare, fitted, groups, ...rest } = probe;
      const path = pathOf(probe);
      if (written.has(path)) return;
      const tensor = (name: string, data: Float64Array) => ({
        name,
        dtype: "F64" as const,
        shape: [data.length],
        data,
      });
      await mkdir(place, { recursive: true });
      await writeFileAtomic(
        path,
        writeSafetensors(
          [
            tensor("slopes", slopes),
            tensor("saliency", saliency),
            tensor("variance_share", varianceShare),
            tensor("fitted", fitted),
            tensor("held_out", groups.heldOut),
            tensor("total", groups.total),
          ],
          {
            key: await keyOf(probe.name, entry, frequencies),
            probe: JSON.stringify(rest),
            ...runMetadata("dynamics", asked),
          },
        ),
      );
      written.add(path);
    },
    async remove() {
      for (const path of written) await rm(path, { force: true });
      await rmdir(place).catch(() => undefined);
    },
  };
}

type VectorName = "slopes" | "saliency" | "varianceShare" | "fitted" | "groups";

/** What tells one tensor's bytes from others: path, size and time of change of its file, and its place there. */
async function identity({ source, offset, byteLength }: TensorEntry): Promise<unknown> {
  const path = "path" in source ? `${source.path}` : source.name;
  const { size, mtimeMs } = await stat(path);
  return [path, size, mtimeMs, offset, byteLength];
}

/** Enough to tell other frequencies from the same. */
function digest({ kind, observed, tokenIds }: Frequencies): unknown {
  let sum = 0;
  for (let i = 0; i < observed.length; i++) sum += observed[i]! * (1 + (tokenIds[i]! % 1009));
  return [kind, observed.length, sum];
}
