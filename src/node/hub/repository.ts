import { mkdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "../../errors.js";
import type { DownloadProgress } from "../../hub/download-progress.js";
import { fileAddress, type HubEntry, listFolder, resolveCommit } from "../../hub/listing.js";
import { type HubReference, isSafePath, referenceText } from "../../hub/reference.js";
import type { Connection } from "../../hub/transfer/exchange.js";
import { inParallel } from "../../hub/transfer/in-parallel.js";
import { defaultRetryPolicy, type RetryPolicy, Unreachable } from "../../hub/transfer/retry.js";
import { quote } from "../../tensor/strict-json.js";
import {
  blobPath,
  cacheError,
  isKnownAbsent,
  linkSnapshot,
  type RepositoryCache,
  readRef,
  rememberAbsent,
  repositoryFolder,
  sizeInSnapshot,
  writeRef,
} from "./cache.js";
import { type HubEnvironment, readHubEnvironment } from "./environment.js";
import { download } from "./transfer/download.js";

export interface HubOptions {
  /** Told of the bytes received, all files together. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Something that the user should know, in one line, such as that only the cache is used. */
  onNotice?: ((message: string) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Default: from the environment variables that Python's huggingface_hub reads. */
  environment?: HubEnvironment | undefined;
  retry?: RetryPolicy | undefined;
}

/** A repository at one commit: what the cache holds of it, and the hub for the rest. */
export interface Repository {
  readonly reference: HubReference;
  readonly commit: string;
  readonly cache: RepositoryCache;
  readonly connection: Connection;
  /** Where the file is: in the cache, at the hub (what it records of it), or nowhere. */
  locate(file: string): Promise<"cached" | HubEntry | undefined>;
  /** Brings files that `locate` finds into the cache, several at a time; all of them or an error. */
  fetch(files: readonly string[]): Promise<void>;
  /** Why only the cache is used, if that is so. */
  cacheOnly(): string | undefined;
}

/** Downloads at a time: enough to fill most lines, few enough for the hub's limits. */
const parallelDownloads = 4;

/**
 * Finds out which commit is meant: from the hub, or from the cache when offline or when the hub cannot be reached.
 * @throws InputError saying what is missing and what to do
 */
export async function openRepository(reference: HubReference, options: HubOptions): Promise<Repository> {
  const environment = options.environment ?? (await readHubEnvironment());
  const { endpoint, token } = environment;
  const connection = { endpoint, token, retry: options.retry ?? defaultRetryPolicy, signal: options.signal };
  const cache = { folder: repositoryFolder(environment.cacheFolder, reference) };
  const known = await readRef(cache, reference.revision);
  if (environment.offline) {
    const reason = "HF_HUB_OFFLINE is set: unset it to download";
    if (known === undefined) throw new InputError(referenceText(reference), `is not in ${cache.folder}, and ${reason}`);
    return repository(reference, known, cache, connection, options, reason);
  }
  try {
    // With a cached commit to fall back on, a hub that is away is not waited for long.
    const { retry } = connection;
    const patience = known === undefined ? retry : { ...retry, attempts: Math.min(retry.attempts, 2) };
    const commit = await resolveCommit({ ...connection, retry: patience }, reference);
    return repository(reference, commit, cache, connection, options, undefined);
  } catch (error) {
    if (!(error instanceof Unreachable) || known === undefined) throw error;
    options.onNotice?.(`${error.message}; using the cached commit ${known.slice(0, 8)}`);
    return repository(reference, known, cache, connection, options, error.problem);
  }
}

/** @throws InputError that a file is not in the cache, where only the cache is used */
export function missingInCache({ reference, commit, cache, cacheOnly }: Repository, file: string): InputError {
  const snapshot = join(cache.folder, "snapshots", commit);
  return new InputError(referenceText(reference), `${file} is not in ${snapshot}, and ${cacheOnly()}`);
}

function repository(
  reference: HubReference,
  commit: string,
  cache: RepositoryCache,
  connection: Connection,
  options: HubOptions,
  reason: string | undefined,
): Repository {
  let cacheOnly = reason;
  const listings = new Map<string, Promise<Map<string, HubEntry>>>();
  const progress = totals(options.onProgress);

  async function listing(folder: string): Promise<Map<string, HubEntry>> {
    const listed = listings.get(folder) ?? listFolder(connection, reference, commit, folder, false);
    listings.set(folder, listed);
    try {
      return await listed;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      if (cacheOnly === undefined) options.onNotice?.(`${error.message}; using what the cache holds`);
      cacheOnly = error.problem;
      return new Map();
    }
  }

  async function locate(file: string): Promise<"cached" | HubEntry | undefined> {
    if (!isSafePath(file)) throw new InputError(referenceText(reference), `${quote(file)} is not a file name`);
    const size = await sizeInSnapshot(cache, commit, file);
    if (cacheOnly !== undefined) return size === undefined ? undefined : "cached";
    const folder = dirname(file) === "." ? "" : dirname(file);
    if (size !== undefined) {
      // Where a listing is at hand, a file that was cut off by whatever wrote it is noticed.
      const entry = listings.has(folder) ? (await listing(folder)).get(file) : undefined;
      return entry === undefined || entry.size === size ? "cached" : entry;
    }
    if (await isKnownAbsent(cache, commit, file)) return undefined;
    const entry = (await listing(folder)).get(file);
    if (entry === undefined && cacheOnly === undefined) await rememberAbsent(cache, commit, file);
    return entry;
  }

  async function fetch(files: readonly string[]): Promise<void> {
    const found = await Promise.all([...new Set(files)].map(locate));
    const wanted = found.filter((entry): entry is HubEntry => typeof entry === "object");
    const size = wanted.reduce((sum, entry) => sum + entry.size, 0);
    progress.expect(size);
    await checkSpace(cache, reference, size);
    await inParallel(wanted, parallelDownloads, connection.signal, async (entry, signal) => {
      const { path, digest } = entry;
      const target = blobPath(cache, digest);
      const subject = { reference, file: path };
      const address = fileAddress(connection, reference, commit, path);
      const place = `${referenceText(reference)}/${path}`;
      const onBytes = (count: number) => progress.add(path, count);
      await download({ ...connection, signal }, { place, address, entry, subject, target }, onBytes);
      await linkSnapshot(cache, commit, path, target);
    });
    // Last, so that a ref never leads to a snapshot that is not there.
    if (wanted.length > 0) await writeRef(cache, reference.revision, commit);
    else if (found.includes("cached")) await writeRef(cache, reference.revision, commit).catch(() => undefined);
  }

  return { reference, commit, cache, connection, locate, fetch, cacheOnly: () => cacheOnly };
}

async function checkSpace(cache: RepositoryCache, reference: HubReference, wanted: number): Promise<void> {
  if (wanted === 0) return;
  const folder = join(cache.folder, "blobs");
  await cacheError(folder, mkdir(folder, { recursive: true }));
  const disk = await statfs(folder).catch(() => undefined);
  const free = disk === undefined ? Number.POSITIVE_INFINITY : disk.bavail * disk.bsize;
  if (wanted > free) {
    const problem = `needs ${gigabytes(wanted)} GB, and ${folder} has ${gigabytes(free)} GB free: set HF_HOME to another disk`;
    throw new InputError(referenceText(reference), problem);
  }
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function totals(onProgress: HubOptions["onProgress"]) {
  let received = 0;
  let total = 0;
  return {
    expect(bytes: number) {
      total += bytes;
    },
    add(file: string, bytes: number) {
      received += bytes;
      onProgress?.({ file, received, total });
    },
  };
}
