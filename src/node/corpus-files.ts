import { createReadStream, type Stats, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { globSync } from "tinyglobby";
import type { Corpus, Document } from "../corpus/corpus.js";
import { textStream } from "../corpus/text-stream.js";
import { InputError } from "../errors.js";
import { fileError } from "./file-source.js";

/** Endings that are taken from a folder. */
const textEndings = [".txt", ".text", ".md"];
const readSize = 2 ** 18;

/** One entry of `Corpus.files`. */
type CorpusFile = Corpus["files"][number];

/**
 * Text from files: paths, globs (sorted), folders (their .txt, .text and .md files, sorted) and `-` for standard input.
 * A path that exists is taken as it is, whatever is special in it. The files are looked up now and read later.
 *
 *     const text = corpus(["wiki/*.txt", "notes.txt"]);
 *
 * @throws InputError if there is nothing to read
 */
export function corpus(paths: string | readonly string[]): Corpus {
  const asked = typeof paths === "string" ? [paths] : paths;
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
      for (const file of files) yield* documentsOf(file);
    },
  };
}

async function* documentsOf(file: CorpusFile): AsyncGenerator<Document> {
  yield { name: file.name, text: textStream(file.name, fileBytes(file)) };
}

function filesOf(path: string): CorpusFile[] {
  if (path === "-") return [{ name: path, bytes: 0 }];
  const info = statOf(path);
  if (info?.isFile()) return [{ name: path, bytes: info.size }];
  if (info?.isDirectory()) {
    const found = sortedGlob({ patterns: textEndings.map((ending) => `**/*${ending}`), cwd: path }).map((name) =>
      path.endsWith("/") ? path + name : `${path}/${name}`,
    );
    if (found.length === 0) throw new InputError(path, `no ${textEndings.join(", ")} file is in the folder`);
    return found.map(sized);
  }
  if (info !== undefined) throw new InputError(path, "is not a regular file; give - and pipe it in");
  const found = sortedGlob({ patterns: [path], cwd: "." });
  if (found.length === 0) throw new InputError(path, "does not exist, and as a pattern matches no file");
  return found.map(sized);
}

function sortedGlob({ patterns, cwd }: { patterns: string[]; cwd: string }): string[] {
  return globSync(patterns, { cwd, absolute: patterns.some(isAbsolute), expandDirectories: false }).sort();
}

function sized(name: string): CorpusFile {
  return { name, bytes: statOf(name)?.size ?? 0 };
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

/** Bytes of a file as they are read. */
async function* fileBytes(file: CorpusFile): AsyncGenerator<Uint8Array> {
  const stream = file.name === "-" ? process.stdin : createReadStream(file.name, { highWaterMark: readSize });
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  } catch (error) {
    throw fileError(file.name, error);
  }
  file.bytes = bytes;
}
