import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";

const decompress = promisify(brotliDecompress);

/** Brotli (RFC 7932) by Node's own decoder. @param size at most so much is made @throws RangeError if it is broken or more */
export async function unbrotli(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  try {
    return await decompress(bytes, { maxOutputLength: size });
  } catch (error) {
    throw new RangeError(`Brotli data is broken: ${(error as Error).message}`, { cause: error });
  }
}
