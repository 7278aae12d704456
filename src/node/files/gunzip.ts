import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { checkExpansion } from "../../corpus/text/expansion-bound.js";
import { InputError } from "../../errors.js";

/**
 * Decompresses gzip (RFC 1952) as it is read.
 * @throws InputError if the data is broken, cut off, or grows beyond belief
 */
export async function* gunzip(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let read = 0;
  let produced = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      read += chunk.length;
      yield chunk;
    }
  }
  const output = createGunzip({ chunkSize: 2 ** 16 });
  // Its errors come out of `output`.
  pipeline(Readable.from(counted(), { objectMode: false }), output, () => {});
  try {
    for await (const chunk of output) {
      produced += (chunk as Uint8Array).length;
      checkExpansion(name, read, produced);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!code.startsWith("Z_")) throw error;
    throw new InputError(name, `gzip data is broken or cut off: ${(error as Error).message}`, { cause: error });
  } finally {
    output.destroy();
  }
}
