import { unzstd } from "../text/zstd-library.js";
import { hadoopLz4Decompress, lz4Decompress } from "./lz4.js";
import { snappyDecompress } from "./snappy.js";

/**
 * Decompresses Brotli (RFC 7932), where there is something that does.
 * @param size at most so many bytes come of it @throws RangeError if the data is broken or gives more
 */
export type Unbrotli = (bytes: Uint8Array, size: number) => Promise<Uint8Array>;

/**
 * Decompresses a page.
 * @param codec Parquet's number of the compression  @param size of the result
 * @throws RangeError if the compression isn't read here, the data is broken, or gives another size
 */
export async function decompressPage(
  codec: number,
  bytes: Uint8Array,
  size: number,
  unbrotli?: Unbrotli,
): Promise<Uint8Array> {
  const page = size === 0 ? new Uint8Array(0) : await decompress(codec, bytes, size, unbrotli);
  if (page.length !== size) throw new RangeError(`a page has ${page.length} bytes where its header says ${size}`);
  return page;
}

async function decompress(
  codec: number,
  bytes: Uint8Array,
  size: number,
  unbrotli: Unbrotli | undefined,
): Promise<Uint8Array> {
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return snappyDecompress(bytes, size);
    case 2:
      return gunzip(bytes, size);
    case 4:
      if (unbrotli === undefined) throw new RangeError("Brotli cannot be decompressed here");
      return unbrotli(bytes, size);
    case 5:
      return hadoopLz4Decompress(bytes, size);
    case 6:
      return unzstd(bytes, size);
    case 7:
      return lz4Decompress(bytes, size);
    default:
      throw new RangeError(
        `compression ${codec === 3 ? "LZO" : codec} is not supported; write the file with snappy, gzip or zstd`,
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
