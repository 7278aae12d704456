import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import { InputError } from "../../errors.js";
import { editedCheckpoint } from "../../export/edited-checkpoint.js";
import type { ModelFile } from "../../export/model-files.js";
import type { HeadChange } from "../../model/head/head-change.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { checkWritable } from "../files/check-writable.js";
import { clearLeftovers } from "../files/leftovers.js";
import { nearestReal } from "../files/real-path.js";
import { chunksOf, type FileContents, stageFolder } from "../files/write-atomic.js";
import { cardFile, changedCard } from "./card-file.js";

/** Files of a folder, by name. */
export type NamedFiles = Iterable<readonly [name: string, contents: FileContents]>;

/** Files to put beside a saved model, and a check of the folder before it has its name. */
export interface SaveOptions {
  /** Replace a model folder that is there. */
  force?: boolean | undefined;
  /** Files to put beside, such as a record of what was done. */
  files?: NamedFiles | undefined;
  /**
   * Looks at the folder before it has its name; if this throws, nothing is left of the folder. The files that it returns, such
   * as measurements of what was written, are put beside.
   */
  examine?: ((folder: string) => Promise<NamedFiles>) | undefined;
  /** Ends it with the signal's reason, leaving nothing, until the folder has its name. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes a model with another head as a complete folder that transformers and unembed load. It appears whole or not at all.
 *
 *     await saveModel(model, { rows: solution.rows }, "gpt2-less-the");
 *
 * @throws InputError if the folder is there already, lies inside the model's own, or cannot be written; if the
 * architecture has no place for the change
 */
export async function saveModel(
  model: HeadModel,
  change: HeadChange,
  out: string,
  options: SaveOptions = {},
): Promise<void> {
  await saveFiles(model, out, () => editedCheckpoint(model, change), { ...options, changed: isChange(change) });
}

/** Whether a change of a head, or a head in place of it, changes anything. */
export function isChange(change: object): boolean {
  return Object.keys(change).length > 0;
}

interface MadeOptions extends Pick<SaveOptions, "force" | "files" | "signal"> {
  /** The model is another than the original: it gets a card of its own, if none is among the files put beside. */
  readonly changed: boolean;
}

/** Writes the files of a folder made from a model. @throws InputError as saveModel */
export async function saveFiles(
  model: HeadModel,
  out: string,
  make: () => Promise<readonly ModelFile[]>,
  options: SaveOptions & Pick<MadeOptions, "changed">,
): Promise<void> {
  const { examine = async () => [] } = options;
  const examined = async (folder: string) => ({ found: undefined, files: await examine(folder) });
  await saveExamined(model, out, make, examined, options);
}

/**
 * The same, and gives back what was found in the folder while it still had a name of its own.
 * @param examine what this throws, nothing is left of; the files that it returns are put beside
 * @throws InputError as saveModel
 */
export async function saveExamined<Found>(
  model: HeadModel,
  out: string,
  make: () => Promise<readonly ModelFile[]>,
  examine: (folder: string) => Promise<{ found: Found; files: NamedFiles }>,
  { force = false, files = [], signal, changed }: MadeOptions,
): Promise<Found> {
  await clearOut(out);
  await checkOut(model, out, force);
  const made = await make();
  const contents = [...(changed ? made.filter(([name]) => name !== cardFile) : made), ...files];
  const stage = await stageFolder(out);
  try {
    await stage.add(contents.map(([name, content]) => [name, stoppable(content, signal)] as const));
    const examined = await examine(stage.path);
    const beside = [...examined.files];
    await stage.add(beside);
    if (changed && ![...contents, ...beside].some(([name]) => name === cardFile)) {
      await stage.add([[cardFile, await changedCard(model)]]);
    }
    signal?.throwIfAborted();
    await stage.commit();
    return examined.found;
  } catch (error) {
    await stage.discard();
    throw error;
  }
}

/** Chunks until the signal is aborted. */
export async function* stoppable(contents: FileContents, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunksOf(contents)) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

/** Puts right what runs that were killed left beside a folder. */
export async function clearOut(out: string): Promise<void> {
  await clearLeftovers(await nearestReal(resolve(out)));
}

/**
 * Fails before the work rather than after it.
 * @throws InputError if the folder is there already, or is no model's, or it and the model's own are inside one another,
 * or if it cannot be written
 */
export async function checkOut(model: HeadModel, out: string, force = false): Promise<void> {
  const target = await nearestReal(resolve(out));
  if (await exists(model.folder.name)) {
    const own = await realpath(model.folder.name);
    if (isInside(own, target) || isInside(target, own)) {
      throw new InputError(out, `and the model's own folder, ${model.folder.name}, may not lie inside one another`);
    }
  }
  await checkWritable(dirname(target));
  if (!(await exists(target))) return;
  if (!force) throw new InputError(out, "is there already", { remedy: "force" });
  const names = await readdir(target).catch(() => undefined);
  if (names === undefined) throw new InputError(out, "is a file where a folder is wanted");
  // A mistyped name must not cost someone their home folder.
  if (names.length > 0 && !names.includes("config.json")) {
    throw new InputError(out, "is there already and holds no model (config.json): it is not replaced");
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
