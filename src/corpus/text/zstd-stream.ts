import { InputError } from "../../errors.js";
import { checkExpansion } from "./expansion-bound.js";
import { openZstdDecoder } from "./zstd-library.js";

/**
 * Decompresses Zstandard (RFC 8878) as it is read: frames one after the other, windows of up to 128 MB.
 * @throws InputError if the data is broken, cut off, or grows beyond belief
 */
export async function* zstdStream(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = await openZstdDecoder();
  let read = 0;
  let produced = 0;
  try {
    for await (const piece of bytes) {
      read += piece.length;
      for (const part of decoder.decode(piece)) {
        produced += part.length;
        checkExpansion(name, read, produced);
        yield part;
      }
    }
    if (read === 0) throw new InputError(name, "is empty: no Zstandard data");
    if (decoder.isInside()) throw new InputError(name, "Zstandard data ends inside a frame: is the file complete?");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(name, `is not Zstandard data, or broken before byte ${read}: ${error.message}`, {
      cause: error,
    });
  } finally {
    decoder.close();
  }
}
