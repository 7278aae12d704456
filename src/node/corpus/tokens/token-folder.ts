import { join } from "node:path";
import type { Corpus, Document } from "../../../corpus/corpus.js";
import { InputError } from "../../../errors.js";
import { bytesPerElement, decodeIntegers } from "../../../tensor/dtype.js";
import { readNpyHeader } from "../../../tensor/npy.js";
import { openFileSource } from "../../files/file-source.js";
import { readManifest, type TokenManifest } from "./manifest.js";

/** Ids read at a time. */
const idsPerRead = 2 ** 18;

const dtypeOf = { uint16: "U16", uint32: "U32" } as const;

/**
 * A folder that `unembed tokenize` wrote, as a corpus whose windows can be read from anywhere.
 * @returns undefined if it is another folder
 * @throws InputError if its manifest cannot be used; reading throws it if a shard is not what the manifest says
 */
export function tokenFolderCorpus(folder: string): Corpus | undefined {
  const found = readManifest(folder);
  if (found === undefined) return undefined;
  const { manifest, sha256 } = found;
  const { contextLength, beginOfText, counts } = manifest;
  const from = (index: number) => shardDocuments(folder, manifest, index);
  return {
    files: [{ name: folder, bytes: counts.ids * bytesPerElement[dtypeOf[manifest.dtype]] }],
    documents: () => from(0),
    stored: {
      name: folder,
      sha256,
      tokenizer: manifest.tokenizer.sha256,
      count: counts.ids,
      contextLength,
      beginOfText,
      from,
    },
  };
}

async function* shardDocuments(folder: string, manifest: TokenManifest, index: number): AsyncGenerator<Document> {
  yield { name: folder, ids: idsFrom(folder, manifest, index) };
}

async function* idsFrom(folder: string, { shards, dtype }: TokenManifest, index: number) {
  let start = 0;
  for (const shard of shards) {
    const end = start + shard.ids;
    if (end > index) yield* shardIds(join(folder, shard.file), dtypeOf[dtype], shard.ids, Math.max(0, index - start));
    start = end;
  }
}

async function* shardIds(
  path: string,
  wanted: "U16" | "U32",
  count: number,
  first: number,
): AsyncGenerator<ArrayLike<number>> {
  const { dtype, shape, offset, source } = await readNpyHeader(await openFileSource(path));
  if (dtype !== wanted || shape.length !== 1 || shape[0] !== count) {
    throw new InputError(path, `holds ${dtype} [${shape.join(", ")}] where the manifest says ${wanted} [${count}]`);
  }
  const width = bytesPerElement[dtype];
  for (let done = first; done < count; done += idsPerRead) {
    const length = Math.min(idsPerRead, count - done);
    yield decodeIntegers(wanted, await source.read(offset + done * width, length * width));
  }
}
