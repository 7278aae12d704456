import { InputError } from "../../errors.js";

/** Text compresses 3 to 10 times, the most repetitive log files some 100 times: what goes on beyond this is a bomb. */
const maxExpansion = 1000;
/** Small files may hold anything. */
const freeBytes = 64 * 2 ** 20;

/**
 * Bounds what a compressed file may become.
 * @throws InputError once more has been produced than is believable of the bytes read
 */
export function checkExpansion(name: string, read: number, produced: number): void {
  if (produced <= freeBytes || produced <= read * maxExpansion) return;
  throw new InputError(
    name,
    `grows more than ${maxExpansion} times (${read} bytes to over ${produced}): ` +
      "no text does, this looks like a decompression bomb; decompress it yourself if it is meant",
  );
}
