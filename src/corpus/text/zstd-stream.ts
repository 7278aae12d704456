import { ZSTDDecoder } from "zstddec/stream";
import { InputError } from "../../errors.js";
import { checkExpansion } from "./expansion-bound.js";

/**
 * Decompresses Zstandard (RFC 8878) as it is read: frames one after the other, windows of up to 128 MB.
 * @throws InputError if the data is broken, cut off, or grows beyond belief
 */
export async function* zstdStream(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const input = bytes[Symbol.asyncIterator]();
  let next = await nextFull(input);
  if (next === undefined) throw new InputError(name, "is empty: no Zstandard data");
  let read = 0;
  let produced = 0;
  let taken = false;
  // The decoder takes its next piece when it has used up the last, always the one that lies ready here.
  const pieces: Iterable<Uint8Array> = {
    *[Symbol.iterator]() {
      while (next !== undefined) {
        taken = true;
        yield next;
      }
    },
  };
  const output = decoder.decodeStreaming(pieces);
  let idle = 0;
  try {
    for (;;) {
      const part = nextPart(name, output);
      if (taken) {
        taken = false;
        idle = 0;
        read += next?.length ?? 0;
        next = await nextFull(input);
      }
      if (part === undefined) return;
      produced += part.length;
      checkExpansion(name, read, produced);
      // On an error the decoder stands still and says nothing.
      idle = part.length === 0 ? idle + 1 : 0;
      if (idle > 2) throw new InputError(name, `is not Zstandard data, or broken: nothing comes of byte ${read}`);
      if (part.length > 0) yield part;
    }
  } finally {
    await input.return?.();
  }
}

function nextPart(name: string, output: Generator<Uint8Array>): Uint8Array | undefined {
  try {
    const { done, value } = output.next();
    return done ? undefined : value;
  } catch (error) {
    throw new InputError(name, `Zstandard data is broken or cut off: ${(error as Error).message}`, { cause: error });
  }
}

async function nextFull(input: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  for (;;) {
    const { done, value } = await input.next();
    if (done) return undefined;
    if (value.length > 0) return value;
  }
}
