import { mkdir } from "node:fs/promises";
import { uptime } from "node:os";
import { dirname } from "node:path";
import type { DownloadProgress } from "../../../hub/download-progress.js";
import type { RemoteSource } from "../../../hub/remote/remote-source.js";
import type { TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { layOutSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { cacheError } from "../cache.js";
import { claimPartial, type PartialFile } from "../transfer/partial-file.js";

/**
 * Streams one tensor of a remote file into a safetensors file of its own, going on from what an earlier process had begun.
 * @param place what the download is called in reports of its progress
 */
export async function fetchTensorFile(
  path: string,
  source: RemoteSource,
  tensor: TensorEntry,
  metadata: Record<string, string>,
  place: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  const { header } = layOutSafetensors([tensor], metadata);
  const total = header.byteLength + tensor.byteLength;
  await cacheError(path, mkdir(dirname(path), { recursive: true }));
  const partial = await claimPartial(path, total);
  try {
    let received = await writeHeader(partial, header);
    onProgress?.({ file: place, received, total });
    const begun = received - header.byteLength;
    for await (const chunk of source.stream(tensor.offset + begun, tensor.byteLength - begun)) {
      await cacheError(path, partial.write(chunk, received));
      received += chunk.byteLength;
      onProgress?.({ file: place, received, total });
    }
  } catch (error) {
    await partial.release();
    throw error;
  }
  await partial.finish();
}

/** @returns the length of what is there of the file now: more than the header if an earlier process began with the same */
async function writeHeader(partial: PartialFile, header: Uint8Array): Promise<number> {
  const found = Buffer.alloc(header.byteLength);
  const { bytesRead } = await partial.handle.read(found, 0, found.byteLength, 0);
  // With no hash to check it by, what a power cut may have damaged is not gone on from.
  const sinceBoot = (await partial.handle.stat()).mtimeMs > Date.now() - uptime() * 1000;
  if (sinceBoot && bytesRead === header.byteLength && found.equals(header)) return partial.length;
  await partial.handle.truncate(0);
  await cacheError(partial.path, partial.write(header, 0));
  return header.byteLength;
}
