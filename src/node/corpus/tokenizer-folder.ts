import { hasTokenizer } from "../../corpus/tokenizer/open-source.js";
import { InputError } from "../../errors.js";
import type { Folder } from "../../tensor/byte-source.js";
import { embeddedTokenizerFolder } from "../checkpoints/embedded-series.js";
import { openFolder } from "../files/file-source.js";
import { resolveModelFolder } from "../hub/model-folder.js";
import type { HubOptions } from "../hub/repository.js";

/**
 * The folder of a model of which only the tokenizer is wanted: nothing else is fetched from the hub.
 * @throws InputError if there is no such model, or it has no tokenizer.json
 */
export async function openTokenizerFolder(name: string, hub: HubOptions = {}): Promise<Folder> {
  const embedded = embeddedTokenizerFolder(name);
  const folder = embedded === undefined ? await resolveModelFolder(name, { ...hub, files: [] }) : openFolder(embedded);
  if (await hasTokenizer(folder)) return folder;
  throw new InputError(name, "has no tokenizer.json");
}
