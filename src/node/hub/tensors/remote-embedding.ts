import { createHash } from "node:crypto";
import { join } from "node:path";
import { findOutputEmbedding } from "../../../dynamics/inputs/checkpoint.js";
import { InputError } from "../../../errors.js";
import { fileAddress, type HubEntry } from "../../../hub/listing.js";
import { type HubReference, referenceText } from "../../../hub/reference.js";
import { openRemoteSource } from "../../../hub/remote/remote-source.js";
import { Unreachable } from "../../../hub/transfer/retry.js";
import type { ByteSource } from "../../../tensor/byte-source.js";
import { type CheckpointLayout, missingWeights, safetensorsFile } from "../../../tensor/checkpoint-layouts.js";
import { readWeightMap } from "../../../tensor/checkpoint-tensors.js";
import { outputEmbeddingNames } from "../../../tensor/output-embedding-names.js";
import { readSafetensorsHeader, type TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { quote } from "../../../tensor/strict-json.js";
import { ownNames, readWithout, unwrappedNames } from "../../../tensor/wrapped-names.js";
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
  const file = await locateWeights(repository, tensorName, options);
  if (file.found === "cached") {
    const source = await openCached(repository, file.path);
    const entry = await embeddingIn(source, file, tensorName, options);
    return { entry, fetchedBytes: 0, checkpointBytes: source.size };
  }
  const fetchedBytes = await fetchInto(path, repository, { ...file, found: file.found }, tensorName, place, options);
  await writeRef(kept, reference.revision, repository.commit);
  const fetched = await readKept(path, place);
  if (fetched === undefined) throw new InputError(path, "cannot be read although it was just written");
  return { ...fetched, fetchedBytes };
}

/** E in a file, where the model's own names may stand behind those of a wrapper. */
async function embeddingIn(
  source: ByteSource,
  { read }: WeightsFile,
  tensorName: string | undefined,
  { onNotice }: HubOptions,
): Promise<TensorEntry> {
  const wanted = wantedNames(tensorName);
  const tensors = await read(source, wanted);
  const own = wanted.some((name) => tensors.has(name)) ? undefined : unwrappedNames(tensors);
  if (own !== undefined) onNotice?.(`${source.name}: ${readWithout(own)}`);
  return findOutputEmbedding(source.name, own?.tensors ?? tensors, tensorName);
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

/** The file that holds the output embedding: the only one, or a shard. */
async function locateWeights(
  repository: Repository,
  tensorName: string | undefined,
  options: HubOptions,
): Promise<WeightsFile> {
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
  const listed = await readWeightMap(index);
  const locate = async (fileName: string): Promise<WeightsFile> => {
    const shard = inRepository(reference, fileName);
    const located = await repository.locate(shard);
    if (located !== undefined) return { path: shard, found: located, read };
    if (repository.cacheOnly() !== undefined) throw missingInCache(repository, shard);
    throw new InputError(index.name, `lists the shard ${quote(shard)}, which is missing`);
  };
  const wanted = wantedNames(tensorName);
  const likeliest = firstOf(listed, wanted.slice(0, 1));
  if (likeliest !== undefined) return locate(likeliest);
  // An index may leave out a head that is there, and list what isn't.
  const stored = new Map<string, WeightsFile>();
  for (const fileName of [...new Set(listed.values())].sort()) {
    const file = await locate(fileName);
    for (const name of await namesIn(repository, file, wanted, options)) stored.set(name, file);
  }
  const file = firstOf(stored, wanted);
  if (file !== undefined) return file;
  const looked = tensorName === undefined ? "no output embedding of a usual name" : `no tensor ${quote(tensorName)}`;
  throw new InputError(index.name, `field weight_map: has ${looked}, nor have its shards`, { remedy: "tensorName" });
}

/** What the first of the wanted names has that is there, also behind those of a wrapper. */
function firstOf<Value>(byName: ReadonlyMap<string, Value>, wanted: readonly string[]): Value | undefined {
  const own = ownNames([...byName.keys()])?.names ?? [];
  const values = [...byName.values()];
  const byOwnName = new Map(own.map((name, index) => [name, values[index]!]));
  const name = wanted.find((name) => byName.has(name) || byOwnName.has(name));
  return name === undefined ? undefined : (byName.get(name) ?? byOwnName.get(name));
}

/** The names of a shard's tensors, of which its header alone is fetched. */
async function namesIn(
  repository: Repository,
  { path, found, read }: WeightsFile,
  wanted: readonly string[],
  options: HubOptions,
): Promise<string[]> {
  if (found === "cached") return [...(await read(await openCached(repository, path), wanted)).keys()];
  const source = await openRemote(repository, path, found, options);
  try {
    return [...(await read(source, wanted)).keys()];
  } finally {
    source.close();
  }
}

function openRemote(
  { reference, commit, connection }: Repository,
  path: string,
  { size }: HubEntry,
  { onNotice }: HubOptions,
): ReturnType<typeof openRemoteSource> {
  const name = `${referenceText(reference)}/${path}`;
  return openRemoteSource(fileAddress(connection, reference, commit, path), {
    ...{ connection, subject: { reference, file: path }, name, size, onNotice },
  });
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
  const { reference, commit } = repository;
  const source = await openRemote(repository, file.path, file.found, options);
  try {
    const tensor = await embeddingIn(source, file, tensorName, options);
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
