import { InputError } from "../errors.js";
import type { DownloadProgress } from "../hub/download-progress.js";
import { parseHubReference } from "../hub/reference.js";
import type { Connection } from "../hub/transfer/exchange.js";
import { inParallel } from "../hub/transfer/in-parallel.js";
import { defaultRetryPolicy } from "../hub/transfer/retry.js";
import { openGgufFolder } from "../model/gguf/gguf-folder.js";
import type { Folder } from "../tensor/byte-source.js";
import { requireRoom } from "./engine/page-memory.js";
import { droppedFolder, handleFolder } from "./files/file-folder.js";
import { type HubRepository, openHubRepository } from "./files/hub-folder.js";
import { openPartStore, type PartStore, requireStorage } from "./files/part-store.js";
import type { PartedSource } from "./files/parted-source.js";
import { urlFolder } from "./files/url-folder.js";

/**
 * Where a page finds a model: the address of a folder (it ends with `/`) or of a `.gguf` file, a repository of the hub (`org/name`,
 * `org/name@revision`, `hf://org/name/FILE.gguf`), files that were dropped or chosen, a folder that the user gave the page, or
 * any other folder.
 */
export type ModelSource = string | URL | ListedFolder | readonly File[] | FileList | FileSystemDirectoryHandle | Folder;

/** A folder of a web server of which only these files are asked for: browsers report each that is not there. */
export interface ListedFolder {
  readonly address: URL;
  readonly files: readonly string[];
}

/** What a server is asked with, and who is told of what comes. */
export interface FetchOptions {
  /** Told of the bytes that are there, all files together. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Something that the user should know, in one line. */
  onNotice?: ((message: string) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** The hub's address. Default: https://huggingface.co */
  endpoint?: string | undefined;
  /** An access token of the hub; it is sent there alone. */
  token?: string | undefined;
}

/** Bytes that opening a model will fetch. */
export interface DownloadSize {
  /** Of the files that are needed. */
  readonly total: number;
  /** Of them kept in this browser already. */
  readonly kept: number;
}

/** Fetched at a time. */
const parallelFiles = 2;

const hub = "https://huggingface.co";

/**
 * What `loadModel` will fetch from the hub, before it does.
 *
 *     const { total, kept } = await downloadSize("openai-community/gpt2");
 *
 * @throws InputError if there is no such model
 */
export async function downloadSize(reference: string, options: FetchOptions = {}): Promise<DownloadSize> {
  const repository = await openRepository(reference, await openPartStore(), options, () => {});
  return sizeOf(await repository.modelFiles());
}

async function sizeOf(files: readonly PartedSource[]): Promise<DownloadSize> {
  const kept = await Promise.all(files.map((file) => file.keptBytes()));
  return { total: total(files), kept: kept.reduce((sum, bytes) => sum + bytes, 0) };
}

const total = (files: readonly PartedSource[]) => files.reduce((sum, { size }) => sum + size, 0);

/** The folder of a model; of the hub's, what is needed of it is here when this returns. @throws InputError */
export async function openReference(source: ModelSource, options: FetchOptions = {}): Promise<Folder> {
  if (source instanceof URL || (typeof source === "string" && /^(?:https?:|blob:|\.{0,2}\/)/.test(source))) {
    return openAddress(new URL(source, globalThis.location?.href), options);
  }
  if (typeof source === "string") return openHub(source, options);
  if ("address" in source) return listedFolder(await openAddress(source.address, options), source.files);
  if (isFolder(source)) return source;
  if (isHandle(source)) return openHandle(source);
  const files = [...source];
  if (files.length === 0) throw new InputError("dropped files", "there are none");
  const gguf = files.find(({ name }) => /\.gguf$/i.test(name));
  const folder = droppedFolder(files);
  if (gguf === undefined || (await folder.open("config.json")) !== undefined) return folder;
  return ggufIn(folder, gguf.name, gguf.name);
}

function listedFolder(folder: Folder, files: readonly string[]): Folder {
  return { ...folder, open: async (fileName) => (files.includes(fileName) ? folder.open(fileName) : undefined) };
}

const isFolder = (source: object): source is Folder => "open" in source;
const isHandle = (source: object): source is FileSystemDirectoryHandle => "getFileHandle" in source;

function ggufIn(folder: Folder, fileName: string, name: string): Promise<Folder> {
  return openGgufFolder({ name, fileName, openBeside: (beside) => folder.open(beside) });
}

async function openHandle(handle: FileSystemDirectoryHandle): Promise<Folder> {
  const folder = handleFolder(handle);
  if ((await folder.open("config.json")) !== undefined) return folder;
  const names: string[] = [];
  // TypeScript's library does not know yet that it can be iterated.
  for await (const name of (handle as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  const gguf = names.filter((name) => /\.gguf$/i.test(name)).sort()[0];
  return gguf === undefined ? folder : ggufIn(folder, gguf, `${handle.name}/${gguf}`);
}

async function openAddress(address: URL, options: FetchOptions): Promise<Folder> {
  const gguf = /([^/]+\.gguf)$/i.exec(address.pathname)?.[1];
  const base = gguf === undefined && !address.pathname.endsWith("/") ? new URL(`${address.href}/`) : address;
  const files = new Set<PartedSource>();
  let received = 0;
  const onBytes = (file: PartedSource, count: number) => {
    files.add(file);
    received += count;
    options.onProgress?.({ file: file.name, received, total: total([...files]) });
  };
  const connection = connectionOf({ ...options, token: undefined }, address.origin);
  const folder = urlFolder(base, connection, await openPartStore(), onBytes);
  return gguf === undefined ? folder : ggufIn(folder, decodeURIComponent(gguf), address.href);
}

async function openHub(reference: string, options: FetchOptions): Promise<Folder> {
  let received = 0;
  let wanted = 0;
  const onBytes = (file: PartedSource, count: number) => {
    received += count;
    options.onProgress?.({ file: file.name, received, total: Math.max(wanted, received) });
  };
  const store = await openPartStore();
  const repository = await openRepository(reference, store, options, onBytes);
  const files = await repository.modelFiles();
  const size = await sizeOf(files);
  wanted = size.total;
  // Of any weights: in blocks of few bits they do not take more in the engine.
  requireRoom(repository.name, size.total);
  if (store.lasting) await requireStorage(repository.name, size.total - size.kept);
  await inParallel(files, parallelFiles, options.signal, (file, signal) => file.fetchAll(signal));
  const gguf = /\.gguf$/i.test(reference) ? reference.split("/").at(-1)! : undefined;
  return gguf === undefined ? repository : ggufIn(repository, gguf, reference);
}

function openRepository(
  reference: string,
  store: PartStore,
  options: FetchOptions,
  onBytes: (file: PartedSource, count: number) => void,
): Promise<HubRepository> {
  const connection = connectionOf(options, options.endpoint ?? hub);
  const { onNotice } = options;
  return openHubRepository(parseHubReference(reference), connection, store, {
    onBytes,
    ...(onNotice && { onNotice }),
  });
}

function connectionOf({ token, signal }: FetchOptions, endpoint: string): Connection {
  return { endpoint: endpoint.replace(/\/+$/, ""), token, retry: defaultRetryPolicy, signal };
}
