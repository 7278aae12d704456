import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors.js";
import { parseHubReference, referenceText } from "../../hub/reference.js";
import { snapshotPath } from "./cache.js";
import { inRepository, listHubFiles } from "./hub-folder.js";
import { type HubOptions, openRepository } from "./repository.js";

/** One file of a data set: its size is known now, its contents are fetched when asked for. */
export interface DatasetFile {
  /** As messages show it. */
  readonly name: string;
  readonly bytes: number;
  /** Fetches the file if the cache does not have it. @returns its path on disk, with its own ending */
  fetch(): Promise<string>;
}

/** What a data set on the hub is read from, in order of preference: a set often has the same rows in several forms. */
const preferredEndings = [
  /\.parquet$/i,
  /\.(jsonl|ndjson)(\.gz|\.zst)?$/i,
  /\.json(\.gz|\.zst)?$/i,
  /\.(txt|text)(\.gz|\.zst)?$/i,
];

/**
 * The files of a data set on the hub, `hf://datasets/org/name[@revision][/folder or file]`, sorted: its parquet files, or
 * else its JSON lines, JSON or text files. Only the cache is looked at when offline.
 * @throws InputError if there is no such data set or no file to read in it
 */
export async function datasetFiles(text: string, options: HubOptions = {}): Promise<DatasetFile[]> {
  const reference = parseHubReference(text);
  if (reference.type !== "dataset") throw new InputError(text, "is a model; text comes from hf://datasets/org/name");
  const repository = await openRepository(reference, options);
  const { cache, commit } = repository;
  const files = await (preferredEndings.some((ending) => ending.test(reference.path))
    ? [{ path: "", size: 0 }]
    : repository.cacheOnly() === undefined
      ? listHubFiles(reference, options)
      : cachedFiles(snapshotPath(cache, commit, reference.path)));
  const chosen = preferredEndings
    .map((ending) => files.filter(({ path }) => ending.test(path || reference.path)))
    .find((found) => found.length > 0);
  if (chosen === undefined) {
    throw new InputError(referenceText(reference), "has no parquet, JSON lines, JSON or text file to read");
  }
  return chosen.map(({ path, size }) => {
    const file = path === "" ? reference.path : inRepository(reference, path);
    return {
      name: `${referenceText(reference)}/${file}`,
      bytes: size,
      async fetch() {
        const found = await repository.locate(file);
        if (found === undefined) throw new InputError(referenceText(reference), `has no file ${file}`);
        if (found !== "cached") await repository.fetch([file]);
        return snapshotPath(cache, commit, file);
      },
    };
  });
}

async function cachedFiles(folder: string): Promise<{ path: string; size: number }[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = await Promise.all(names.map(async (path) => ({ path, info: await stat(join(folder, path)) })));
  return files
    .filter(({ info }) => info.isFile())
    .map(({ path, info }) => ({ path, size: info.size }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
