import { untilAborted } from "../../engine/until-aborted.js";
import { InputError } from "../../errors.js";

/** More than any model's positions hold. */
const maxInputBytes = 16 * 2 ** 20;

/** All text on standard input. @throws InputError if it is too long or not UTF-8 */
export async function readInput(
  signal: AbortSignal,
  input: AsyncIterable<Uint8Array> = process.stdin,
): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of untilAborted(input, signal)) {
    bytes += part.byteLength;
    if (bytes > maxInputBytes) throw new InputError("standard input", "holds more than 16 MB, too long for a prompt");
    parts.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch (error) {
    throw new InputError("standard input", "is not UTF-8 text", { cause: error });
  }
}
