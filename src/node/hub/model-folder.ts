import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { InputError } from "../../errors.js";
import { type HubReference, parseHubReference } from "../../hub/reference.js";
import { openGgufFolder } from "../../model/gguf/gguf-folder.js";
import type { Folder } from "../../tensor/byte-source.js";
import { shardNames } from "../../tensor/gguf/gguf-shards.js";
import { endedAfter } from "../files/bounded-match.js";
import { fileError, openFolder } from "../files/file-source.js";
import { type HubFolderOptions, openHubFolder } from "./hub-folder.js";

/** Where a model is: a folder on this machine, or a repository of the hub. */
export type ModelReference =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "gguf"; readonly path: string }
  | { readonly kind: "hub"; readonly reference: HubReference };

/**
 * What a user means by the name of a model. A folder that exists comes first, then the hub.
 * @throws InputError if it is neither, naming both
 */
export async function parseModelReference(text: string): Promise<ModelReference> {
  if (text.startsWith("hf://")) return { kind: "hub", reference: parseHubReference(text) };
  const path = text === "~" || text.startsWith("~/") ? join(homedir(), text.slice(1)) : text;
  if (path === "" || path.includes("\0")) throw new InputError(JSON.stringify(text), "is not the name of a model");
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ENAMETOOLONG") return undefined;
    throw fileError(path, error);
  });
  if (info?.isDirectory()) return { kind: "folder", path };
  if (info !== undefined && isGgufName(path)) return { kind: "gguf", path };
  if (info !== undefined)
    throw new InputError(text, "is a file where the folder of a model, or a .gguf file, is wanted");
  if (isGgufName(text)) throw new InputError(text, "there is no such file (one of the hub is hf://org/name/FILE.gguf)");
  if (looksLikePath(text)) throw new InputError(text, "there is no such folder");
  try {
    return { kind: "hub", reference: parseHubReference(text) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.place, `there is no such folder, and it ${error.problem}`, { cause: error });
  }
}

/** The files of a model, from a folder or from the hub. @throws InputError */
export async function resolveModelFolder(name: string, options: HubFolderOptions = {}): Promise<Folder> {
  const model = await parseModelReference(name);
  if (model.kind === "folder") return openLocalFolder(name, model.path);
  if (model.kind === "gguf") return openGgufFile(name, model.path);
  if (isGgufName(model.reference.path)) return openHubGguf(model.reference, options);
  try {
    const folder = await openHubFolder(model.reference, options);
    if (/gguf/i.test(model.reference.name) && (await folder.open("config.json")) === undefined) {
      throw new InputError(
        name,
        `has no config.json: name one of its GGUF files, hf://${model.reference.name}/FILE.gguf`,
      );
    }
    return folder;
  } catch (error) {
    // Who meant a folder should hear of that first, rather than of a network.
    if (!(error instanceof InputError) || name.startsWith("hf://")) throw error;
    throw new InputError(name, `there is no such folder here, and as a repository: ${error.message}`, { cause: error });
  }
}

/** Whether a model's name is that of a GGUF file. */
export function isGgufName(name: string): boolean {
  return /\.gguf$/i.test(name);
}

async function openLocalFolder(name: string, path: string): Promise<Folder> {
  const folder = openFolder(path);
  if ((await folder.open("config.json")) !== undefined) return folder;
  const file = (await readdir(path).catch(() => [])).find(isGgufName);
  if (file === undefined) return folder;
  throw new InputError(name, `has no config.json, but GGUF files: name one of them, as in ${join(name, file)}`);
}

function openGgufFile(name: string, path: string): Promise<Folder> {
  const beside = openFolder(dirname(path));
  return openGgufFolder({
    ...{ name, fileName: basename(path), endedAfter },
    openBeside: (fileName) => beside.open(fileName),
  });
}

/** Only the file is fetched, or all shards of it. */
async function openHubGguf(reference: HubReference, options: HubFolderOptions): Promise<Folder> {
  const [, inFolder = "", fileName = ""] = /^(?:(.*)\/)?([^/]*)$/.exec(reference.path) ?? [];
  const repository = await openHubFolder({ ...reference, path: inFolder }, { ...options, files: shardNames(fileName) });
  const name = `${repository.name}/${reference.path}`;
  return openGgufFolder({ name, fileName, endedAfter, openBeside: (beside) => repository.open(beside) });
}

/** What nobody writes for a repository of the hub. */
function looksLikePath(text: string): boolean {
  return /^(?:[./~\\]|[A-Za-z]:[/\\])|[/\\]$/.test(text) || text.split("@")[0]!.split(/[/\\]/).length > 2;
}
