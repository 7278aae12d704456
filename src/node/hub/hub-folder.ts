import { InputError } from "../../errors.js";
import { companions } from "../../hub/companions.js";
import { type HubEntry, listFolder } from "../../hub/listing.js";
import { type HubReference, parseHubReference, referenceText } from "../../hub/reference.js";
import type { Folder } from "../../tensor/byte-source.js";
import { type CheckpointLayout, checkpointLayouts, safetensorsFile } from "../../tensor/checkpoint-layouts.js";
import { readWeightMap } from "../../tensor/checkpoint-tensors.js";
import { endedAfter } from "../files/bounded-match.js";
import { type FileSource, openFileSource } from "../files/file-source.js";
import { snapshotPath } from "./cache.js";
import { type HubOptions, missingInCache, openRepository, type Repository } from "./repository.js";

export interface HubFolderOptions extends HubOptions {
  /** Names of files to fetch at once. Default: what a model needs. */
  files?: readonly string[] | undefined;
}

/**
 * A repository of the hub as a folder: what is needed of it is in the cache when this returns, any other file is fetched
 * when it is opened. The cache is the one of Python's huggingface_hub, in its layout.
 *
 *     const folder = await openHubFolder("EleutherAI/pythia-70m@step1000", { onProgress });
 *
 * @throws InputError saying what is missing and what to do; the signal's reason when it is aborted
 */
export async function openHubFolder(reference: string | HubReference, options: HubFolderOptions = {}): Promise<Folder> {
  const repository = await openRepository(
    typeof reference === "string" ? parseHubReference(reference) : reference,
    options,
  );
  const { files } = options;
  await (files === undefined ? fetchModel(repository) : fetchNamed(repository, files));
  return {
    name: referenceText(repository.reference),
    endedAfter,
    open: (fileName) => openFile(repository, fileName),
  };
}

/** A file of a repository as a listing has it. */
export interface HubFile {
  /** Relative to the reference's own path. */
  readonly path: string;
  readonly size: number;
}

/** The files at the reference's path and below it, sorted. @throws InputError; when only the cache can be used, too */
export async function listHubFiles(reference: string | HubReference, options: HubOptions = {}): Promise<HubFile[]> {
  const parsed = typeof reference === "string" ? parseHubReference(reference) : reference;
  const { connection, commit, cacheOnly } = await openRepository(parsed, options);
  const reason = cacheOnly();
  if (reason !== undefined) throw new InputError(referenceText(parsed), `cannot be listed: ${reason}`);
  const root = parsed.path === "" ? "" : `${parsed.path}/`;
  const entries = await listFolder(connection, parsed, commit, parsed.path, true);
  return [...entries.values()]
    .filter(({ path }) => path.startsWith(root))
    .map(({ path, size }) => ({ path: path.slice(root.length), size }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** @returns undefined if the repository has no such file, or only the cache is used and does not hold it */
export async function openFile(repository: Repository, fileName: string): Promise<FileSource | undefined> {
  const { reference, cache, commit } = repository;
  const file = inRepository(reference, fileName);
  const found = await repository.locate(file);
  if (found === undefined) return undefined;
  if (found !== "cached") await repository.fetch([file]);
  return openFileSource(snapshotPath(cache, commit, file), `${referenceText(reference)}/${file}`);
}

/** Path of a file inside the repository, from its name relative to the reference's path. */
export function inRepository({ path }: HubReference, fileName: string): string {
  return path === "" ? fileName : `${path}/${fileName}`;
}

async function fetchNamed(repository: Repository, files: readonly string[]): Promise<void> {
  const paths = files.map((file) => inRepository(repository.reference, file));
  for (const path of paths) {
    if ((await repository.locate(path)) !== undefined) continue;
    if (repository.cacheOnly() !== undefined) throw missingInCache(repository, path);
    throw new InputError(referenceText(repository.reference), `has no file ${path}`);
  }
  await repository.fetch(paths);
}

async function fetchModel(repository: Repository): Promise<void> {
  const { reference } = repository;
  const checkpoint = await locateCheckpoint(repository);
  const small = companions.map((file) => inRepository(reference, file));
  await repository.fetch(checkpoint === undefined ? small : [...small, checkpoint.path]);
  const shards = checkpoint?.layout.sharded ? await shardPaths(repository, checkpoint.layout.file) : [];
  await repository.fetch(shards);
  if (repository.cacheOnly() === undefined) return;
  for (const path of [inRepository(reference, "config.json"), ...shards]) {
    if ((await repository.locate(path)) === undefined) throw missingInCache(repository, path);
  }
  if (checkpoint === undefined) throw missingInCache(repository, inRepository(reference, safetensorsFile));
}

/** A checkpoint of a repository: its layout, the path of that layout's file, and where the file is. */
export interface LocatedCheckpoint {
  readonly layout: CheckpointLayout;
  readonly path: string;
  readonly found: "cached" | HubEntry;
}

/** @returns undefined if the repository has no checkpoint, or only the cache is used and holds none */
export async function locateCheckpoint(repository: Repository): Promise<LocatedCheckpoint | undefined> {
  for (const layout of checkpointLayouts) {
    const path = inRepository(repository.reference, layout.file);
    const found = await repository.locate(path);
    if (found !== undefined) return { layout, path, found };
  }
  return undefined;
}

async function shardPaths(repository: Repository, indexName: string): Promise<string[]> {
  const index = await openFile(repository, indexName);
  if (index === undefined) return [];
  const names = new Set((await readWeightMap(index)).values());
  return [...names].map((name) => inRepository(repository.reference, name));
}
