import { InputError } from "../../errors.js";
import { outputEmbeddingNames } from "../../tensor/output-embedding-names.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { quote } from "../../tensor/strict-json.js";

/** One checkpoint of a training run, opened piece by piece. */
export interface Checkpoint {
  /** Folder, or repository and revision. */
  readonly name: string;
  /** Training step that it was saved at. */
  readonly step: number;
  /** Whether it lies on this machine, so that asking for its shapes costs nothing. */
  readonly local?: boolean | undefined;
  /** E alone, fetched first if it lies elsewhere. @throws InputError if it cannot be had */
  outputEmbedding(): Promise<TensorEntry>;
  /** All of its tensors, for the convergence of the parameters. */
  tensors(): Promise<ReadonlyMap<string, TensorEntry>>;
}

/**
 * The output embedding among a checkpoint's tensors.
 * @param tensorName its name; left out, the usual names are tried
 * @throws InputError if there is none, or it is no matrix
 */
export function findOutputEmbedding(
  place: string,
  tensors: ReadonlyMap<string, TensorEntry>,
  tensorName?: string,
): TensorEntry {
  const names = tensorName === undefined ? outputEmbeddingNames : [tensorName];
  const entry = names.map((name) => tensors.get(name)).find((found) => found !== undefined);
  if (entry === undefined) {
    const looked =
      tensorName === undefined ? "no output embedding under any of the usual names" : `no tensor ${quote(tensorName)}`;
    const some = [...tensors.keys()].slice(0, 6).map(quote).join(", ");
    throw new InputError(place, `has ${looked} (it has ${some}${tensors.size > 6 ? ", ..." : ""})`, {
      remedy: "tensorName",
    });
  }
  if (entry.shape.length !== 2 || entry.shape.includes(0)) {
    throw new InputError(
      place,
      `tensor ${quote(entry.name)} has shape [${entry.shape.join(", ")}] where [V, d] is wanted`,
    );
  }
  return entry;
}

/**
 * The training step in a name: its last number (`step1000`, `checkpoint-500`, `org/name@step512`).
 * @returns undefined if there is none
 */
export function stepOfName(name: string): number | undefined {
  const last = name
    .replace(/[/\\]+$/, "")
    .split(/[/\\@]/)
    .at(-1)!;
  const digits = /(\d+)\D*$/.exec(last)?.[1];
  const step = Number(digits);
  return digits === undefined || !Number.isSafeInteger(step) ? undefined : step;
}

/** By rising step. @throws InputError if two have the same step */
export function sortedCheckpoints(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const sorted = [...checkpoints].sort((a, b) => a.step - b.step);
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1]!, sorted[i]!];
    if (before.step === after.step) {
      throw new InputError(after.name, `is of step ${after.step}, as ${before.name} is: give each step once`);
    }
  }
  return sorted;
}
