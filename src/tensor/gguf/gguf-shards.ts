import { InputError } from "../../errors.js";
import type { ByteSource } from "../byte-source.js";
import { quote } from "../strict-json.js";
import { type GgufFile, readGgufFile } from "./gguf-file.js";
import { keyName } from "./gguf-values.js";

/** As llama.cpp's gguf-split names them. */
const shardName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** Names of all shards of one that was asked for, in their order; the name alone if it is no shard's. */
export function shardNames(fileName: string): string[] {
  const [, prefix, , count = "1"] = shardName.exec(fileName) ?? [];
  if (prefix === undefined || Number(count) < 1) return [fileName];
  return Array.from(
    { length: Number(count) },
    (_, index) => `${prefix}-${`${index + 1}`.padStart(5, "0")}-of-${count}.gguf`,
  );
}

/**
 * A GGUF file, or all shards of one. @param fileName of the file, or of any of its shards
 * @throws InputError if one is missing or cannot be used, or they contradict one another
 */
export async function openShards(
  fileName: string,
  open: (fileName: string) => Promise<ByteSource | undefined>,
): Promise<GgufFile[]> {
  const files: GgufFile[] = [];
  const names = shardNames(fileName);
  for (const name of names) {
    const source = await open(name);
    if (source === undefined) throw new InputError(name, `is missing: ${fileName} is one of ${names.length} shards`);
    files.push(await readGgufFile(source));
  }
  checkShards(files);
  return files;
}

function checkShards(files: readonly GgufFile[]): void {
  const owner = new Map<string, GgufFile>();
  for (const [index, file] of files.entries()) {
    const refuse = (problem: string) => new InputError(file.source.name, problem);
    const count = file.metadata.get("split.count") ?? 1;
    const isWhole = files.length === 1 && (count === 1 || count === 0);
    if (!isWhole && count !== files.length) {
      const problem = `is ${count}, and ${files.length} are there by the file's name`;
      throw refuse(`${keyName("split.count")} ${problem}: name it as in NAME-00001-of-00003.gguf, beside the others`);
    }
    const own = file.metadata.get("split.no") ?? 0;
    if (!isWhole && own !== index) throw refuse(`${keyName("split.no")} is ${own} where its name says ${index}`);
    for (const name of file.tensors.keys()) {
      const other = owner.get(name);
      if (other !== undefined) throw refuse(`tensor ${quote(name)} is in ${other.source.name} too`);
      owner.set(name, file);
    }
  }
  const expected = files[0]!.metadata.get("split.tensors.count");
  if (files.length > 1 && expected !== undefined && expected !== owner.size) {
    const problem = `is ${expected}, and the shards have ${owner.size} tensors`;
    throw new InputError(files[0]!.source.name, `${keyName("split.tensors.count")} ${problem}`);
  }
}
