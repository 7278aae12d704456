import { InputError } from "../../../errors.js";
import type { ByteSource, Folder } from "../../../tensor/byte-source.js";
import { parsePythonJson } from "../../../tensor/python-json.js";

/** The largest tokenizer.json in use are 40 MB; a bound on what is parsed. */
const maxTokenizerBytes = 512 * 2 ** 20;

/** All of a file's bytes. @throws InputError if they are more than a tokenizer has */
export async function readWhole(source: ByteSource): Promise<Uint8Array> {
  if (source.size > maxTokenizerBytes) {
    throw new InputError(source.name, `is ${source.size} bytes; more than ${maxTokenizerBytes} are not read`);
  }
  return source.read(0, source.size);
}

/** All of a file as text. @throws InputError */
export async function readText(source: ByteSource): Promise<string> {
  const bytes = await readWhole(source);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(source.name, "is not UTF-8", { cause: error });
  }
}

/** The JSON of a file. @throws InputError */
export async function readJson(source: ByteSource): Promise<unknown> {
  const text = await readText(source);
  try {
    return parsePythonJson(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
    throw new InputError(source.name, `is not JSON: ${reason}`, { cause: error });
  }
}

/** The JSON object of a file in a folder; an empty one if there is no such file. @throws InputError */
export async function readObject(folder: Folder, fileName: string): Promise<Record<string, unknown>> {
  const source = await folder.open(fileName);
  if (source === undefined) return {};
  const value = await readJson(source);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(source.name, "is not a JSON object");
  }
  return value as Record<string, unknown>;
}
