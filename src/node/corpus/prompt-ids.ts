import { npyDocuments } from "../../corpus/tokens/id-files.js";
import { InputError } from "../../errors.js";
import { openFileSource } from "../files/file-source.js";

/** Far more than any model's positions. */
const maxBytes = 2 ** 24;

/**
 * Prompts as token ids from a NumPy .npy file: one, or one a row.
 * @throws InputError if it is not there, no such array, or too large for prompts
 */
export async function readPromptIds(path: string): Promise<number[][]> {
  const source = await openFileSource(path);
  if (source.size > maxBytes) throw new InputError(path, `has ${source.size} bytes, too many for prompts`);
  const prompts: number[][] = [];
  for await (const document of npyDocuments(source)) {
    const ids: number[] = [];
    if ("ids" in document) for await (const part of document.ids) for (const id of Array.from(part)) ids.push(id);
    prompts.push(ids);
  }
  if (prompts.length === 0) throw new InputError(path, "holds no row: at least one is wanted");
  return prompts;
}
