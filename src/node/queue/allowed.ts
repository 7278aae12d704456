import { isAbsolute, relative, resolve, sep } from "node:path";
import { nearestReal } from "../files/real-path.js";
import { isEmbeddedModel } from "../load-model.js";

/** Whether a job may name a model, a text or a folder. */
export type Allowed = (name: string) => Promise<boolean>;

/**
 * What a worker may open and write: folders with all that is in them, a symlink counting as what it leads to; names of models
 * just as they are; and the models that come with unembed.
 * @param names paths, and ids on the hub
 */
export function allowedNames(names: readonly string[]): Allowed {
  const given = new Set(names);
  const roots = Promise.all(names.map((name) => nearestReal(resolve(name))));
  return async (name) => {
    if (given.has(name) || isEmbeddedModel(name)) return true;
    if (!isAbsolute(name)) return false;
    const target = await nearestReal(resolve(name));
    return (await roots).some((root) => isInside(root, target));
  };
}

function isInside(root: string, target: string): boolean {
  const way = relative(root, target);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
