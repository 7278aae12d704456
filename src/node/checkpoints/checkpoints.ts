import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { globSync } from "tinyglobby";
import { hasTokenizer } from "../../corpus/tokenizer/open-source.js";
import { type Checkpoint, findOutputEmbedding, stepOfName } from "../../dynamics/inputs/checkpoint.js";
import { expandBraces } from "../../dynamics/inputs/expand-braces.js";
import { InputError } from "../../errors.js";
import type { Folder } from "../../tensor/byte-source.js";
import { checkpointFileNames, checkpointLayouts } from "../../tensor/checkpoint-layouts.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { otherFolder } from "../../tensor/other-folders.js";
import { fileError, openFolder } from "../files/file-source.js";
import { portablePattern } from "../files/portable-pattern.js";
import { parseModelReference } from "../hub/model-folder.js";
import type { CheckpointOptions } from "./checkpoint-options.js";
import { type FetchedBytes, remoteCheckpoints } from "./remote-checkpoints.js";

/** The checkpoints of a run, and what else lies beside them. */
export interface OpenedCheckpoints {
  readonly checkpoints: Checkpoint[];
  /** The first folder near the last checkpoint that has a tokenizer.json. */
  tokenizerFolder(): Promise<Folder | undefined>;
  /** What came from a hub so far; undefined if nothing lies there. */
  fetched(): FetchedBytes | undefined;
}

/**
 * Checkpoints by name: folders whose name ends in the step, folders of such folders, globs, repositories of the hub with
 * the step as revision; braces are expanded (`org/name@step{0,1,2,...,512,1000..143000:1000}`).
 * @throws InputError naming what is no checkpoint, or has no step in its name
 */
export async function openCheckpoints(
  patterns: readonly string[],
  options: CheckpointOptions = {},
): Promise<OpenedCheckpoints> {
  const found = await Promise.all(patterns.map((pattern) => expandPattern(pattern)));
  const folders = found.flatMap((places) => places.folders);
  const references = found.flatMap((places) => places.references);
  if (folders.length + references.length === 0) throw new InputError("checkpoints", "none is given");
  const remote = references.length > 0 ? await remoteCheckpoints(references, options) : undefined;
  const checkpoints = [
    ...folders.map((folder) => localCheckpoint(folder, options.tensor)),
    ...(remote?.checkpoints ?? []),
  ];
  const lastFolder = folders.sort((a, b) => stepOf(a) - stepOf(b)).at(-1);
  return {
    checkpoints,
    async tokenizerFolder() {
      const near = lastFolder === undefined ? [] : [lastFolder, dirname(lastFolder), dirname(dirname(lastFolder))];
      for (const path of near) {
        const folder = openFolder(path);
        if (await hasTokenizer(folder)) return folder;
      }
      return remote?.tokenizerFolder();
    },
    fetched: () => remote?.fetched(),
  };
}

/** Folders and repositories that one argument stands for. */
async function expandPattern(pattern: string) {
  const names = expandBraces(pattern);
  const places = await Promise.all(names.map((name) => expandName(name, pattern, names)));
  return {
    folders: places.flatMap(({ folders }) => folders),
    references: places.flatMap(({ references }) => references),
  };
}

async function expandName(name: string, pattern: string, all: readonly string[]) {
  if (await isFolder(name)) return { folders: await stepFolders(name), references: [] };
  if (/[*?[]/.test(name) && !name.startsWith("hf://")) {
    const folders = globSync([portablePattern(name)], { onlyDirectories: true, expandDirectories: false }).sort();
    if (folders.length === 0) throw new InputError(name, "matches no folder");
    return { folders: (await Promise.all(folders.map(stepFolders))).flat(), references: [] };
  }
  // Where one name of a pattern is a folder, the others are meant to be too.
  for (const other of all) {
    if (other === name || !(await isFolder(other))) continue;
    throw new InputError(name, `there is no such folder (${pattern} stands for ${all.length}, and ${other} is there)`);
  }
  const place = await parseModelReference(name);
  if (place.kind === "folder") return { folders: await stepFolders(place.path), references: [] };
  if (place.kind === "gguf")
    throw new InputError(name, "is a GGUF file; of a training run folders or repositories are wanted");
  return { folders: [], references: [place.reference] };
}

/** The folder itself if it holds a checkpoint, else the folders in it that do and have a step in their names. */
async function stepFolders(folder: string): Promise<string[]> {
  if (await hasWeights(folder)) {
    stepOf(folder);
    return [folder];
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw fileError(folder, error);
  });
  const inside: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (stepOfName(entry.name) !== undefined && (await isFolder(path)) && (await hasWeights(path))) inside.push(path);
  }
  if (inside.length > 0) return inside;
  const problem = await otherFolder(openFolder(folder));
  throw new InputError(folder, problem ?? `has no weights (${checkpointFileNames}), and no folders of steps that have`);
}

function stepOf(folder: string): number {
  const step = stepOfName(folder);
  if (step !== undefined) return step;
  throw new InputError(folder, "has no training step in its name: call it step1000, say");
}

function localCheckpoint(path: string, tensorName: string | undefined): Checkpoint {
  const tensors = () => openCheckpointTensors(openFolder(path));
  return {
    name: path,
    step: stepOf(path),
    local: true,
    tensors,
    outputEmbedding: async () => findOutputEmbedding(path, await tensors(), tensorName),
  };
}

async function hasWeights(folder: string): Promise<boolean> {
  const found = await Promise.all(checkpointLayouts.map(({ file }) => stat(join(folder, file)).catch(() => undefined)));
  return found.some((info) => info?.isFile());
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
