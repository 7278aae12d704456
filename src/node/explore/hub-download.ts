import { InputError } from "../../errors.js";
import type { Download } from "../../explore/state.js";
import { companions } from "../../hub/companions.js";
import { listFolder } from "../../hub/listing.js";
import { parseHubReference } from "../../hub/reference.js";
import { type HubOptions, openRepository } from "../hub/repository.js";

/** Files with weights, of which one kind is fetched. */
const weights = [/\.safetensors$/, /^pytorch_model.*\.bin$/];

/** What opening a model of the hub would fetch; undefined where all of it is in the cache. @throws InputError as openRepository */
export async function downloadOfHub(name: string, options: HubOptions): Promise<Download | undefined> {
  const reference = parseHubReference(name);
  const repository = await openRepository(reference, options);
  if (repository.cacheOnly() !== undefined) return undefined;
  const listed = await listFolder(repository.connection, reference, repository.commit, "", false);
  const names = [...listed.keys()].filter((file) => !file.includes("/"));
  const ofWeights =
    reference.path !== ""
      ? [reference.path]
      : (weights.map((kind) => names.filter((file) => kind.test(file))).find((found) => found.length > 0) ?? []);
  if (ofWeights.length === 0)
    throw new InputError(name, "holds no weights that can be read (safetensors, PyTorch or GGUF)");
  const wanted = [...names.filter((file) => file === "config.json" || companions.includes(file)), ...ofWeights];
  const files = await Promise.all(
    [...new Set(wanted)].map(async (file) => ({
      ...{ name: file, bytes: listed.get(file)?.size ?? 0 },
      cached: (await repository.locate(file)) === "cached",
    })),
  );
  const bytes = files.reduce((sum, file) => sum + (file.cached ? 0 : file.bytes), 0);
  return bytes === 0 ? undefined : { name, files, bytes };
}
