import { ZSTDDecoder } from "zstddec/stream";
import { snappyDecompress } from "./snappy.js";

/** Parquet's numbers of the compressions that are not read, for messages. */
const unsupported: Record<number, string> = { 3: "LZO", 4: "Brotli", 5: "LZ4", 7: "LZ4" };

/**
 * Decompresses a page.
 * @param codec Parquet's number of the compression  @param size of the result
 * @throws RangeError if the compression isn't read here, the data is broken, or gives another size
 */
export async function decompressPage(codec: number, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const page = size === 0 ? new Uint8Array(0) : await decompress(codec, bytes, size);
  if (page.length !== size) throw new RangeError(`a page has ${page.length} bytes where its header says ${size}`);
  return page;
}

async function decompress(codec: number, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return snappyDecompress(bytes, size);
    case 2:
      return gunzip(bytes, size);
    case 6:
      return unzstd(bytes, size);
    default:
      throw new RangeError(
        `compression ${unsupported[codec] ?? codec} is not supported; write the file with snappy, gzip or zstd`,
      );
  }
}

async function gunzip(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const output = new Uint8Array(size);
  let filled = 0;
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return output.subarray(0, filled);
      if (value.length > size - filled) throw new RangeError(`gzip data gives more than ${size} bytes`);
      output.set(value, filled);
      filled += value.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error instanceof RangeError ? error : new RangeError("gzip data is broken", { cause: error });
  }
}

async function unzstd(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const output = decoder.decode(bytes, size);
  if (output.length !== size) throw new RangeError("Zstandard data is broken");
  return output;
}
