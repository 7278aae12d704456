import { hasTokenizer } from "../../corpus/tokenizer/open-source.js";
import { InputError } from "../../errors.js";
import type { Folder } from "../../tensor/byte-source.js";
import { embeddedTokenizerFolder } from "../checkpoints/embedded-series.js";
import { openFolder } from "../files/file-source.js";
import { resolveModelFolder } from "../hub/model-folder.js";
import type { HubOptions } from "../hub/repository.js";

/** Files that a tokenizer is read from, or that say how it is used. */
const tokenizerFiles: ReadonlySet<string> = new Set([
  ...["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.model"],
  ...["vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja", "chat_template.json"],
]);

/** A model's folder with the tokenizer of another in place of its own. */
export function withTokenizerOf(folder: Folder, other: Folder): Folder {
  return {
    ...folder,
    endedAfter: other.endedAfter,
    open: (fileName) => (tokenizerFiles.has(fileName) ? other : folder).open(fileName),
  };
}

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
