import { bytesSource } from "../../src/tensor/byte-source.js";
import { type GgufFile, type GgufTensor, readGgufFile } from "../../src/tensor/gguf/gguf-file.js";
import { writeGguf } from "../../src/tensor/gguf/write-gguf.js";
import { ggufBytes } from "./gguf-bytes.js";

/** A file in two shards, laid out as llama.cpp's gguf-split does it: the first has all metadata and half of the tensors. */
export async function shardedBytes(file: GgufFile): Promise<Record<string, Uint8Array>> {
  const tensors = [...file.tensors.values()];
  const half = Math.ceil(tensors.length / 2);
  const parts = [tensors.slice(0, half), tensors.slice(half)];
  const shards: Record<string, Uint8Array> = {};
  for (const [index, part] of parts.entries()) {
    const split = await readGgufFile(
      bytesSource(
        "split",
        ggufBytes({
          metadata: [
            ["split.no", { kind: "uint16", value: index }],
            ["split.count", { kind: "uint16", value: parts.length }],
            ["split.tensors.count", { kind: "int32", value: tensors.length }],
          ],
        }),
      ),
    );
    const keys = index === 0 ? await joinedKeys(file, split) : split;
    shards[`model-0000${index + 1}-of-0000${parts.length}.gguf`] = await written(keys, part);
  }
  return shards;
}

/** The metadata of both, in a file without tensors. */
async function joinedKeys(file: GgufFile, split: GgufFile): Promise<GgufFile> {
  const places = [...file.keyPlaces.values()];
  const end = places.at(-1)![1];
  const splitEnd = [...split.keyPlaces.values()].at(-1)![1];
  const bytes = Buffer.concat([
    await file.source.read(0, end),
    (await split.source.read(0, splitEnd)).subarray([...split.keyPlaces.values()][0]![0]),
  ]);
  bytes.writeBigUInt64LE(0n, 8);
  bytes.writeBigUInt64LE(BigInt(file.metadata.size + split.metadata.size), 16);
  return readGgufFile(bytesSource("joined", new Uint8Array(bytes)));
}

async function written(file: GgufFile, tensors: readonly GgufTensor[]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const changes = { tensors, texts: new Map<string, string>(), counts: new Map<string, number>() };
  for await (const piece of writeGguf(file, changes)) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}
