import { createHash, type Hash } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../../../errors.js";
import type { HubEntry } from "../../../hub/listing.js";
import { type HubSubject, statusError } from "../../../hub/transfer/answer-status.js";
import { contentRange } from "../../../hub/transfer/content-range.js";
import { type Connection, type Exchange, exchange } from "../../../hub/transfer/exchange.js";
import { countRetries, progressBytes, Transient } from "../../../hub/transfer/retry.js";
import { cacheError } from "../cache.js";
import { claimPartial, type PartialFile } from "./partial-file.js";

/** A file of the hub, and where its bytes shall lie. */
export interface Wanted {
  /** As messages show it. */
  readonly place: string;
  readonly address: string;
  readonly entry: HubEntry;
  readonly subject: HubSubject;
  readonly target: string;
}

/** One read from disk while the hash of what is already there is computed. */
const readBytes = 2 ** 22;

/**
 * Downloads a file, going on where an earlier process stopped, and gives it its name when its size and hash are right.
 * A file of the right size that is already there is taken as it is.
 * @param onBytes how many more bytes of the file are there; negative when some were found to be useless
 * @throws InputError if the file is not what the hub says it is, Unreachable if it cannot be had for now
 */
export async function download(
  connection: Connection,
  wanted: Wanted,
  onBytes: (count: number) => void,
): Promise<void> {
  const { entry, target, place } = wanted;
  const there = await stat(target).catch(() => undefined);
  if (there?.isFile() && there.size === entry.size) return onBytes(entry.size);
  await cacheError(target, mkdir(dirname(target), { recursive: true }));
  for (;;) {
    const partial = await claimPartial(target, entry.size);
    const resumed = partial.length > 0;
    onBytes(partial.length);
    let problem: string | undefined;
    try {
      const hash = await hashPart(partial, entry);
      await receive(connection, wanted, partial, hash, onBytes);
      if (hash.digest("hex") !== entry.digest.hex)
        problem = `does not have the hash that the hub gives (${entry.digest.hex})`;
    } catch (error) {
      await partial.release();
      throw error;
    }
    if (problem === undefined) return partial.finish();
    await partial.discard();
    onBytes(-entry.size);
    // Bytes of an earlier process may be to blame: once more, without them.
    if (!resumed)
      throw new InputError(place, `${problem}: nothing was kept of it; try again, or check the network's proxies`);
  }
}

async function hashPart({ handle, length }: PartialFile, { digest, size }: HubEntry): Promise<Hash> {
  const hash = createHash(digest.algorithm === "sha256" ? "sha256" : "sha1");
  if (digest.algorithm === "git-sha1") hash.update(`blob ${size}\0`);
  const buffer = new Uint8Array(Math.min(readBytes, length));
  for (let position = 0; position < length; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.byteLength, length - position), position);
    if (bytesRead === 0) throw new Error("a partial file became shorter while it was read");
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return hash;
}

/** Appends what is missing of the file, through as many requests as it takes. */
async function receive(
  connection: Connection,
  wanted: Wanted,
  partial: PartialFile,
  hash: Hash,
  onBytes: (count: number) => void,
): Promise<void> {
  const { entry, place, address } = wanted;
  const retries = countRetries(place, connection.retry, connection.signal);
  let position = partial.length;
  while (position < entry.size) {
    connection.signal?.throwIfAborted();
    const before = position;
    try {
      const range: Record<string, string> = position === 0 ? {} : { range: `bytes=${position}-${entry.size - 1}` };
      const answer = await exchange(connection, place, address, range);
      let skip = bytesToSkip(connection, wanted, answer, position);
      for await (const chunk of answer.chunks()) {
        const useful = chunk.subarray(Math.min(skip, chunk.byteLength));
        skip -= chunk.byteLength - useful.byteLength;
        if (position + useful.byteLength > entry.size) throw tooLong(place, entry.size);
        await cacheError(wanted.target, partial.write(useful, position));
        hash.update(useful);
        position += useful.byteLength;
        onBytes(useful.byteLength);
      }
      if (position < entry.size) throw new Transient(`the connection ended at byte ${position} of ${entry.size}`);
    } catch (error) {
      if (position - before >= progressBytes) retries.progressed();
      await retries.afterFailure(error);
    }
  }
}

/** How many bytes at the start of the body are already there: all of them where the server ignores the range. */
function bytesToSkip(
  connection: Connection,
  { entry, place, subject }: Wanted,
  answer: Exchange,
  position: number,
): number {
  if (answer.status !== 200 && answer.status !== 206) throw statusError(connection, answer, subject);
  const refuse = (problem: string) => {
    answer.close();
    return new InputError(place, `${answer.url.host} ${problem}: try again, or check the network's proxies`);
  };
  if (answer.status === 206) {
    const range = contentRange(answer.headers);
    if (range?.start !== position || (range.total ?? entry.size) !== entry.size) {
      throw refuse(`sends other bytes than asked for (${answer.headers.get("content-range")})`);
    }
    return 0;
  }
  const announced = answer.headers.get("content-length");
  if (announced !== null && !answer.headers.has("content-encoding") && Number(announced) !== entry.size) {
    throw refuse(`announces ${announced} bytes where the hub's listing has ${entry.size}`);
  }
  return position;
}

function tooLong(place: string, size: number): InputError {
  return new InputError(
    place,
    `is longer than the ${size} bytes of the hub's listing: try again, or check the network's proxies`,
  );
}
