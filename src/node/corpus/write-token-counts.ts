import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeNpy } from "../../tensor/npy.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import { writeFileAtomic } from "../files/write-atomic.js";
import { version } from "../version.js";

/** Endings of files of counts. */
export const countFormats = ["npy", "json", "csv", "safetensors"] as const;
/** One of `countFormats`. */
export type CountFormat = (typeof countFormats)[number];

/**
 * Counts by token id as a file that `readTokenCounts` reads: .npy (int64), .json (an array), .csv (columns id and count)
 * or .safetensors (the tensor `token_counts`).
 * @throws InputError if it cannot be written
 */
export async function writeTokenCounts(path: string, counts: Float64Array, format: CountFormat): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, encoded(counts, format));
}

function encoded(counts: Float64Array, format: CountFormat): string | Uint8Array {
  if (format === "json") return `${JSON.stringify(Array.from(counts))}\n`;
  if (format === "csv") return `id,count\n${Array.from(counts, (count, id) => `${id},${count}\n`).join("")}`;
  const array = { dtype: "I64" as const, shape: [counts.length], data: BigInt64Array.from(counts, BigInt) };
  return format === "npy"
    ? writeNpy(array)
    : writeSafetensors([{ name: "token_counts", ...array }], { unembed: version });
}
