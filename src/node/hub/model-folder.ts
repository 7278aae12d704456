import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../errors.js";
import type { Folder } from "../../tensor/byte-source.js";
import { fileError, openFolder } from "../files/file-source.js";
import { type HubFolderOptions, openHubFolder } from "./hub-folder.js";
import { type HubReference, parseHubReference } from "./reference.js";

/** Where a model is: a folder on this machine, or a repository of the hub. */
export type ModelReference =
  | { readonly kind: "folder"; readonly path: string }
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
  if (info !== undefined) throw new InputError(text, "is a file where the folder of a model is wanted");
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
  if (model.kind === "folder") return openFolder(model.path);
  try {
    return await openHubFolder(model.reference, options);
  } catch (error) {
    // Who meant a folder should hear of that first, rather than of a network.
    if (!(error instanceof InputError) || name.startsWith("hf://")) throw error;
    throw new InputError(name, `there is no such folder here, and as a repository: ${error.message}`, { cause: error });
  }
}

/** What nobody writes for a repository of the hub. */
function looksLikePath(text: string): boolean {
  return /^(?:[./~\\]|[A-Za-z]:[/\\])|[/\\]$/.test(text) || text.split("@")[0]!.split(/[/\\]/).length > 2;
}
