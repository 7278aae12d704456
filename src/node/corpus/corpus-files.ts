import { realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { globSync } from "tinyglobby";
import type { Corpus } from "../../corpus/corpus.js";
import type { CorpusOptions } from "../../corpus/file-documents.js";
import { InputError } from "../../errors.js";
import { fileError } from "../files/file-source.js";
import { portablePattern } from "../files/portable-pattern.js";
import { type CorpusFile, fileDocuments, folderEndings } from "./file-documents.js";
import { readManifest } from "./tokens/manifest.js";
import { tokenFolderCorpus } from "./tokens/token-folder.js";

/**
 * Text, or token ids already made, from files: paths, globs (sorted), folders (their text, JSON-lines and Parquet files, sorted),
 * a folder of `unembed tokenize`, and `-` for standard input. A path that exists is taken as it is, whatever is special in it. The files are looked up now
 * and read later.
 *
 *     const text = corpus(["wiki/*.txt", "dump.jsonl.zst"], { field: "body" });
 *
 * @throws InputError if there is nothing to read
 */
export function corpus(paths: string | readonly string[], options: CorpusOptions = {}): Corpus {
  const asked = typeof paths === "string" ? [paths] : paths;
  const stored = asked.length === 1 && tokenFolderCorpus(withoutSlash(asked[0]!));
  if (stored) return stored;
  const files = asked.flatMap(filesOf);
  if (files.length === 0) throw new InputError("corpus", "no file is given");
  if (files.filter(({ name }) => name === "-").length > 1) {
    throw new InputError("-", "standard input can be read only once");
  }
  if (files.every(({ name, bytes }) => name !== "-" && bytes === 0)) {
    throw new InputError(files[0]!.name, files.length === 1 ? "is empty" : "and all other files are empty");
  }
  return {
    files,
    async *documents() {
      for (const file of files) yield* fileDocuments(file, options);
    },
  };
}

function filesOf(path: string): CorpusFile[] {
  if (path === "-") return [{ name: path, bytes: 0 }];
  const info = statOf(path);
  if (info?.isFile()) return [{ name: path, bytes: info.size }];
  if (info?.isDirectory()) {
    if (readManifest(path))
      throw new InputError(path, "holds token ids of unembed tokenize: give it alone, not among other files");
    const found = sortedGlob(
      folderEndings.map((ending) => `**/*${ending}`),
      path,
    );
    if (found.length === 0) throw new InputError(path, `no ${folderEndings.join(", ")} file is in the folder`);
    return once(found.map((name) => (/[/\\]$/.test(path) ? path + name : `${path}/${name}`))).map(sized);
  }
  if (info !== undefined) throw notRegular(path);
  const found = sortedGlob([path], ".");
  if (found.length === 0) throw new InputError(path, "does not exist, and as a pattern matches no file");
  return once(found).map(sized);
}

const withoutSlash = (path: string) => path.replace(/(?<=.)[/\\]+$/, "");

/** Each file once, however many symlinks lead to its folder: one may hold itself. A path without symlinks is kept before others. */
function once(paths: readonly string[]): string[] {
  const real = new Map<string, string>();
  const kept = new Map<string, { path: string; detour: number }>();
  for (const path of paths) {
    const folder = dirname(path);
    const realFolder = real.get(folder) ?? realpathSync(folder);
    real.set(folder, realFolder);
    const file = join(realFolder, basename(path));
    const detour = resolve(folder) === realFolder ? 0 : path.length;
    if (detour < (kept.get(file)?.detour ?? Number.POSITIVE_INFINITY)) kept.set(file, { path, detour });
  }
  return [...kept.values()].map(({ path }) => path).sort();
}

function notRegular(path: string): InputError {
  return new InputError(path, "is not a regular file; give - and pipe it in");
}

function sortedGlob(patterns: string[], cwd: string): string[] {
  return globSync(
    patterns.map((pattern) => portablePattern(pattern)),
    { cwd, absolute: patterns.some(isAbsolute), expandDirectories: false },
  ).sort();
}

function sized(name: string): CorpusFile {
  const info = statOf(name);
  // A symlink may lead to a device or a pipe, which are read without end.
  if (info !== undefined && !info.isFile()) throw notRegular(name);
  return { name, bytes: info?.size ?? 0 };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // What is no path may still be a pattern.
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined;
    throw fileError(path, error);
  }
}
