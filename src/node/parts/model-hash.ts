import { createHash } from "node:crypto";
import type { HeadModel } from "../../model/head/head-model.js";
import type { ByteSource } from "../../tensor/byte-source.js";

/** What is read of a weight file from its beginning, and from its end: with its size, enough to tell checkpoints apart. */
const sampledBytes = 2 ** 20;

/**
 * SHA-256, in hexadecimal digits, that tells a model from others without a read of all its weights: of config.json, and of every
 * weight file's size, header, first and last MB. The same wherever the files lie.
 */
export async function modelHash({ folder, tensors }: HeadModel): Promise<string> {
  const hash = createHash("sha256");
  const config = await folder.open("config.json");
  if (config) hash.update(await config.read(0, config.size));
  const sources = new Map<ByteSource, number>();
  for (const { source, offset } of tensors.values()) {
    sources.set(source, Math.min(offset, sources.get(source) ?? Number.POSITIVE_INFINITY));
  }
  const files = [...sources].map(async ([source, firstTensor]) => {
    const { size } = source;
    // All that comes before the first tensor is the file's header.
    const start = Math.min(size, firstTensor + sampledBytes);
    const end = Math.max(start, size - sampledBytes);
    const own = createHash("sha256").update(`${size}:`);
    own.update(await source.read(0, start)).update(await source.read(end, size - end));
    return own.digest("hex");
  });
  // By what they hold: names and order of files say nothing of the model.
  for (const digest of (await Promise.all(files)).sort()) hash.update(digest);
  return hash.digest("hex");
}
