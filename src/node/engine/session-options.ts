import { dirname, relative, sep } from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import type { DeviceName } from "../../engine/devices.js";
import type { Graph } from "../../engine/graph.js";
import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { isComputed } from "../../tensor/computed-rows.js";
import type { FileSource } from "../files/file-source.js";
import type { KeptFiles } from "./kept-files.js";

/** A protobuf message ends at 2 GiB; the rest of a graph takes far less than what is left here. */
const maxBytesInGraph = 2 ** 31 - 2 ** 26;

/** A graph's bytes and how onnxruntime is to run it: weights on disk are mapped where they lie. */
export async function sessionOptions(
  graph: Graph,
  device: DeviceName,
  threads: number,
  kept: KeptFiles,
): Promise<{ bytes: Uint8Array; options: InferenceSession.SessionOptions }> {
  const fileOf = new Map<ByteSource, FileSource>();
  for (const source of graph.sources) {
    if (isFileSource(source)) fileOf.set(source, source);
    else if (isComputed(source)) fileOf.set(source, await kept.fileOf(source));
  }
  const files = [...fileOf.values()];
  const folder = commonFolder(files.map((file) => dirname(file.path)));
  const inMemory = [...graph.sources].filter((source) => !fileOf.has(source));
  // Once it is given one weight's bytes, onnxruntime looks for no other weight on disk: beside weights on disk, those in
  // memory have to be a part of the graph.
  const inGraph = files.length > 0 && inMemory.length > 0 ? await bytesInGraph(graph, inMemory) : undefined;
  const locate = (source: ByteSource) => {
    const file = fileOf.get(source);
    return file ? relative(folder, file.path) : `memory-${inMemory.indexOf(source)}`;
  };
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Planning memory by pattern holds a second copy of every V-wide block: 60 MB on a small model, for no speed.
    enableMemPattern: false,
    logSeverityLevel: 3,
    externalData:
      inGraph === undefined
        ? await Promise.all(
            inMemory.map(async (source) => ({ path: locate(source), data: await source.read(0, source.size) })),
          )
        : [],
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  };
  const bytes = graph.encode((tensor) => {
    const own = inGraph?.get(tensor.name);
    return own === undefined ? { location: locate(tensor.source), offset: tensor.offset } : { bytes: own };
  });
  return { bytes, options };
}

/** Weights in memory by name. @throws InputError if they are more than one protobuf message holds */
async function bytesInGraph(
  { weights }: Graph,
  inMemory: readonly ByteSource[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const tensors = weights.map(({ tensor }) => tensor).filter(({ source }) => inMemory.includes(source));
  const total = tensors.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  if (total > maxBytesInGraph) {
    throw new InputError(
      tensors[0]!.source.name,
      `and other changed weights take ${total} bytes, more than fit beside weights on disk: save the model and open it`,
    );
  }
  const read = tensors.map(
    async ({ name, source, offset, byteLength }) => [name, await source.read(offset, byteLength)] as const,
  );
  return new Map(await Promise.all(read));
}

function isFileSource(source: ByteSource): source is FileSource {
  return "path" in source;
}

/** Deepest folder that holds all of them: onnxruntime refuses weights outside one folder. */
function commonFolder(folders: string[]): string {
  const [first = sep, ...others] = folders;
  let parts = first.split(sep);
  for (const other of others) {
    const otherParts = other.split(sep);
    const shared = parts.findIndex((part, index) => part !== otherParts[index]);
    if (shared >= 0) parts = parts.slice(0, shared);
  }
  return parts.join(sep) || sep;
}
