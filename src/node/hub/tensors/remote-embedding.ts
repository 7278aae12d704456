import { createHash } from "node:crypto";
import { join } from "node:path";
import { findOutputEmbedding } from "../../../dynamics/inputs/checkpoint.js";
import { InputError } from "../../../errors.js";
import { fileAddress, type HubEntry } from "../../../hub/listing.js";
import { type HubReference, referenceText } from "../../../hub/reference.js";
import { openRemoteSource } from "../../../hub/remote/remote-source.js";
import { Unreachable } from "../../../hub/transfer/retry.js";
import { type CheckpointLayout, missingWeights, safetensorsFile } from "../../../tensor/checkpoint-layouts.js";
import { readWeightMap } from "../../../tensor/checkpoint-tensors.js";
import { outputEmbeddingNames } from "../../../tensor/output-embedding-names.js";
import { readSafetensorsHeader, type TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { quote } from "../../../tensor/strict-json.js";
import { type FileSource, openFileSource } from "../../files/file-source.js";
import { readRef, repositoryFolder, snapshotPath, writeRef } from "../cache.js";
import { readHubEnvironment } from "../environment.js";
import { inRepository, locateCheckpoint, openFile } from "../hub-folder.js";
import { type HubOptions, missingInCache, openRepository, type Repository } from "../repository.js";
import { fetchTensorFile } from "./tensor-file.js";

/** The output embedding of a checkpoint on the hub, and what it took. */
export interface RemoteEmbedding {
  /** In the cache of this machine. */
  readonly entry: TensorEntry;
  /** Bytes received for it now; 0 if it was there already. */
  readonly fetchedBytes: number;
  /** Size of the file of weights that it is a part of. */
  readonly checkpointBytes: number;
}

/** Metadata under which the cached file says how large the checkpoint is. */
const checkpointBytesKey = "checkpoint_bytes";

/**
 * The output embedding of a checkpoint without the rest of it: of safetensors the header and its own bytes, of
 * `pytorch_model.bin` the directory and its record, and of shards the one that holds it. Kept in the assets cache, as single
 * tensors are.
 * @param tensorName its name; left out, the usual names are tried
 * @throws InputError if there is none, or it cannot be had
 */
export async function fetchRemoteEmbedding(
  reference: HubReference,
  tensorName: string | undefined,
  options: HubOptions,
): Promise<RemoteEmbedding> {
  const environment = options.environment ?? (await readHubEnvironment());
  const kept = { folder: repositoryFolder(join(environment.assetsFolder, "unembed"), reference) };
  const place = `${referenceText(reference)}/${tensorName === undefined ? "output embedding" : quote(tensorName)}`;
  const stem = tensorName === undefined ? "output-embedding" : `output-embedding-${sha256(tensorName)}`;
  const pathAt = (commit: string) => join(kept.folder, commit, ...reference.path.split("/"), `${stem}.safetensors`);
  const lastCommit = await readRef(kept, reference.revision);
  const last = lastCommit === undefined ? undefined : await readKept(pathAt(lastCommit), place);
  if (last !== undefined && environment.offline) return last;
  let repository: Repository;
  try {
    repository = await openRepository(reference, { ...options, environment });
  } catch (error) {
    if (last === undefined || !(error instanceof Unreachable)) throw error;
    options.onNotice?.(`${error.message}; using what was fetched before`);
    return last;
  }
  const path = pathAt(repository.commit);
  const found = await readKept(path, place);
  if (found !== undefined) return found;
  const file = await locateWeights(repository, tensorName);
  if (file.found === "cached") {
    const source = await openCached(repository, file.path);
    const entry = findOutputEmbedding(source.name, await file.read(source, wantedNames(tensorName)), tensorName);
    return { entry, fetchedBytes: 0, checkpointBytes: source.size };
  }
  const fetchedBytes = await fetchInto(path, repository, { ...file, found: file.found }, tensorName, place, options);
  await writeRef(kept, reference.revision, repository.commit);
  const fetched = await readKept(path, place);
  if (fetched === undefined) throw new InputError(path, "cannot be read although it was just written");
  return { ...fetched, fetchedBytes };
}

function wantedNames(tensorName: string | undefined): readonly string[] {
  return tensorName === undefined ? outputEmbeddingNames : [tensorName];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function readKept(path: string, place: string): Promise<RemoteEmbedding | undefined> {
  try {
    const { tensors, metadata } = await readSafetensorsHeader(await openFileSource(path, place));
    const [entry] = tensors.values();
    const checkpointBytes = Number(metadata[checkpointBytesKey]);
    if (entry === undefined || !Number.isSafeInteger(checkpointBytes)) return undefined;
    return { entry, fetchedBytes: 0, checkpointBytes };
  } catch (error) {
    // Missing or damaged: it is fetched again.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function openCached({ reference, cache, commit }: Repository, path: string): Promise<FileSource> {
  return openFileSource(snapshotPath(cache, commit, path), `${referenceText(reference)}/${path}`);
}

interface WeightsFile {
  readonly path: string;
  readonly found: "cached" | HubEntry;
  readonly read: CheckpointLayout["read"];
}

/** The file that holds the output embedding: the only one, or the shard that the index names. */
async function locateWeights(repository: Repository, tensorName: string | undefined): Promise<WeightsFile> {
  const { reference } = repository;
  const checkpoint = await locateCheckpoint(repository);
  if (checkpoint === undefined) {
    if (repository.cacheOnly() === undefined) {
      throw await missingWeights({
        name: referenceText(reference),
        open: (fileName) => openFile(repository, fileName),
      });
    }
    throw missingInCache(repository, inRepository(reference, safetensorsFile));
  }
  const { layout, path, found } = checkpoint;
  const { read } = layout;
  if (!layout.sharded) return { path, found, read };
  const index = await openFile(repository, layout.file);
  if (index === undefined) throw missingInCache(repository, path);
  const shards = await readWeightMap(index);
  const name = wantedNames(tensorName).find((known) => shards.has(known));
  if (name === undefined) {
    const looked = tensorName === undefined ? "no output embedding of a usual name" : `no tensor ${quote(tensorName)}`;
    throw new InputError(index.name, `field weight_map: has ${looked}`, { remedy: "tensorName" });
  }
  const shard = inRepository(reference, shards.get(name)!);
  const located = await repository.locate(shard);
  if (located !== undefined) return { path: shard, found: located, read };
  if (repository.cacheOnly() !== undefined) throw missingInCache(repository, shard);
  throw new InputError(index.name, `lists the shard ${quote(shard)}, which is missing`);
}

/** @returns bytes received */
async function fetchInto(
  path: string,
  repository: Repository,
  file: WeightsFile & { found: HubEntry },
  tensorName: string | undefined,
  place: string,
  options: HubOptions,
): Promise<number> {
  const { reference, commit, connection } = repository;
  const source = await openRemoteSource(fileAddress(connection, reference, commit, file.path), {
    connection,
    subject: { reference, file: file.path },
    name: `${referenceText(reference)}/${file.path}`,
    size: file.found.size,
    onNotice: options.onNotice,
  });
  try {
    const tensor = findOutputEmbedding(source.name, await file.read(source, wantedNames(tensorName)), tensorName);
    const metadata = {
      repository: reference.name,
      commit,
      file: file.path,
      [checkpointBytesKey]: `${file.found.size}`,
    };
    await fetchTensorFile(path, source, tensor, metadata, place, options.onProgress);
    return source.fetchedBytes();
  } finally {
    source.close();
  }
}
