import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "../../../errors.js";
import type { ByteSource } from "../../../tensor/byte-source.js";
import { readWeightMap } from "../../../tensor/checkpoint-tensors.js";
import { readSafetensorsHeader, type TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { quote } from "../../../tensor/strict-json.js";
import { openFileSource } from "../../files/file-source.js";
import { readRef, repositoryFolder, snapshotPath, writeRef } from "../cache.js";
import { readHubEnvironment } from "../environment.js";
import { inRepository, openFile } from "../hub-folder.js";
import { fileAddress, type HubEntry } from "../listing.js";
import { type HubReference, parseHubReference, referenceText } from "../reference.js";
import { type HubOptions, missingInCache, openRepository, type Repository } from "../repository.js";
import { Unreachable } from "../transfer/retry.js";
import { openRemoteSource } from "./remote-source.js";
import { fetchTensorFile } from "./tensor-file.js";

export interface RemoteTensorOptions extends HubOptions {
  /**
   * Bytes of the file to fetch with the first request. Default: 0, then exactly the 8 of the header's length, the header
   * and the tensor are fetched. 65536 saves one or two requests a tensor.
   */
  firstBytes?: number | undefined;
  maxDiscardedBytes?: number | undefined;
}

/** Names listed when the one asked for is not there. */
const namesShown = 8;

/**
 * One tensor of a safetensors checkpoint on the hub, without the rest of it: its file's header and its own bytes are
 * fetched, kept in the assets cache (`$HF_HOME/assets/unembed`, apart from the hub's own files, as Python's tools
 * recommend) and used from there the next time. Verified by length; the hub has no hash of a part of a file.
 *
 *     const entry = await fetchRemoteTensor("EleutherAI/pythia-70m@step1000", "embed_out.weight");
 *     const outputEmbedding = await readTensor(entry);
 *
 * @throws InputError if there is no such tensor, or it cannot be had
 */
export async function fetchRemoteTensor(
  reference: string | HubReference,
  tensorName: string,
  options: RemoteTensorOptions = {},
): Promise<TensorEntry> {
  const parsed = typeof reference === "string" ? parseHubReference(reference) : reference;
  const environment = options.environment ?? (await readHubEnvironment());
  const kept = { folder: repositoryFolder(join(environment.assetsFolder, "unembed"), parsed) };
  const place = `${referenceText(parsed)}/${quote(tensorName)}`;
  const pathAt = (commit: string) =>
    join(kept.folder, commit, ...parsed.path.split("/"), `${fileStem(tensorName)}.safetensors`);

  const lastCommit = await readRef(kept, parsed.revision);
  const last = lastCommit === undefined ? undefined : await readKept(pathAt(lastCommit), tensorName, place);
  if (last !== undefined && environment.offline) return last;
  let repository: Repository;
  try {
    repository = await openRepository(parsed, { ...options, environment });
  } catch (error) {
    if (last === undefined || !(error instanceof Unreachable)) throw error;
    options.onNotice?.(`${error.message}; using what was fetched before`);
    return last;
  }
  const path = pathAt(repository.commit);
  const entry = await readKept(path, tensorName, place);
  if (entry !== undefined) return entry;
  const file = await checkpointFile(repository, tensorName);
  if (file.found === "cached") return readWhole(repository, file.path, tensorName);
  await fetchInto(path, repository, file, tensorName, place, options);
  await writeRef(kept, parsed.revision, repository.commit);
  return findTensor(await openFileSource(path, place), tensorName);
}

/** Any name as a file name; what is not plain or too long for one is hashed. */
function fileStem(tensorName: string): string {
  if (/^\w[\w.-]{0,150}$/.test(tensorName)) return tensorName;
  return `sha256-${createHash("sha256").update(tensorName).digest("hex")}`;
}

async function readKept(path: string, tensorName: string, place: string): Promise<TensorEntry | undefined> {
  try {
    return await findTensor(await openFileSource(path, place), tensorName);
  } catch (error) {
    // Missing or damaged: it is fetched again.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** From a file that was downloaded as a whole. */
async function readWhole(repository: Repository, path: string, tensorName: string): Promise<TensorEntry> {
  const { reference, cache, commit } = repository;
  return findTensor(
    await openFileSource(snapshotPath(cache, commit, path), `${referenceText(reference)}/${path}`),
    tensorName,
  );
}

async function findTensor(source: ByteSource, tensorName: string): Promise<TensorEntry> {
  const { tensors } = await readSafetensorsHeader(source);
  const tensor = tensors.get(tensorName);
  if (tensor !== undefined) return tensor;
  const names = [...tensors.keys()].slice(0, namesShown).map(quote).join(", ");
  const more = tensors.size > namesShown ? ` and ${tensors.size - namesShown} more` : "";
  throw new InputError(source.name, `has no tensor ${quote(tensorName)}; it has ${names}${more}`);
}

/** The file that holds the tensor: the only one, or the shard that the index names. */
interface CheckpointFile {
  readonly path: string;
  readonly found: "cached" | HubEntry;
}

async function checkpointFile(repository: Repository, tensorName: string): Promise<CheckpointFile> {
  const { reference } = repository;
  const single = inRepository(reference, "model.safetensors");
  const found = await repository.locate(single);
  if (found !== undefined) return { path: single, found };
  const index = await openFile(repository, "model.safetensors.index.json");
  if (index === undefined) {
    if (repository.cacheOnly() !== undefined) throw missingInCache(repository, single);
    const problem = "has no model.safetensors, whole or in shards; from other files one tensor cannot be fetched alone";
    throw new InputError(referenceText(reference), `${problem}: download the model instead`);
  }
  const shard = (await readWeightMap(index)).get(tensorName);
  if (shard === undefined) throw new InputError(index.name, `field weight_map: has no tensor ${quote(tensorName)}`);
  const path = inRepository(reference, shard);
  const located = await repository.locate(path);
  if (located !== undefined) return { path, found: located };
  if (repository.cacheOnly() !== undefined) throw missingInCache(repository, path);
  throw new InputError(index.name, `lists the shard ${quote(shard)}, which is missing`);
}

async function fetchInto(
  path: string,
  repository: Repository,
  file: CheckpointFile,
  tensorName: string,
  place: string,
  options: RemoteTensorOptions,
): Promise<void> {
  const { reference, commit, connection } = repository;
  const source = await openRemoteSource(fileAddress(connection, reference, commit, file.path), {
    connection,
    subject: { reference, file: file.path },
    name: `${referenceText(reference)}/${file.path}`,
    size: file.found === "cached" ? undefined : file.found.size,
    firstBytes: options.firstBytes,
    onNotice: options.onNotice,
    maxDiscardedBytes: options.maxDiscardedBytes,
  });
  try {
    const tensor = await findTensor(source, tensorName);
    const metadata = { repository: reference.name, commit, file: file.path };
    await fetchTensorFile(path, source, tensor, metadata, place, options.onProgress);
  } finally {
    source.close();
  }
}
