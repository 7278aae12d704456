import { type GgufFile, type GgufTensor, padded, typeId } from "./gguf-file.js";

/** A tensor to be written: where its bytes are read from. */
export type TensorToWrite = Pick<GgufTensor, "name" | "type" | "shape" | "offset" | "byteLength" | "source">;

/** What becomes another in a file; all else stays byte for byte. */
export interface GgufChanges {
  /** In place of those of their names, or added behind the others. */
  readonly tensors: readonly TensorToWrite[];
  /** Texts in the metadata, in place of those of their keys or added. */
  readonly texts: ReadonlyMap<string, string>;
  /** Whole numbers of metadata keys that are there, which keep their kind. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Read and written at once. */
const pieceBytes = 4 * 2 ** 20;

const stringKind = 8;

/** The bytes of a GGUF file with changes made, piece by piece. */
export async function* writeGguf(file: GgufFile, changes: GgufChanges): AsyncGenerator<Uint8Array> {
  const tensors = withChanges([...file.tensors.values()], changes.tensors);
  const metadata = await metadataBytes(file, changes);
  const { alignment } = file;
  const head = [
    ascii("GGUF"),
    uint32(file.version),
    uint64(tensors.length),
    uint64(metadata.count),
    ...metadata.parts,
    ...describe(tensors, alignment),
  ];
  yield* head;
  const headerBytes = head.reduce((sum, { length }) => sum + length, 0);
  yield new Uint8Array(padded(headerBytes, alignment) - headerBytes);
  for (const { source, offset, byteLength } of tensors) {
    for (let start = 0; start < byteLength; start += pieceBytes) {
      yield await source.read(offset + start, Math.min(pieceBytes, byteLength - start));
    }
    yield new Uint8Array(padded(byteLength, alignment) - byteLength);
  }
}

function withChanges(tensors: readonly TensorToWrite[], changed: readonly TensorToWrite[]): TensorToWrite[] {
  const byName = new Map(changed.map((tensor) => [tensor.name, tensor]));
  const kept = tensors.map((tensor) => byName.get(tensor.name) ?? tensor);
  const names = new Set(tensors.map(({ name }) => name));
  return [...kept, ...changed.filter(({ name }) => !names.has(name))];
}

async function metadataBytes(
  { source, metadata, keyPlaces }: GgufFile,
  { texts, counts }: GgufChanges,
): Promise<{ count: number; parts: Uint8Array[] }> {
  const parts: Uint8Array[] = [];
  for (const [key, [start, end]] of keyPlaces) {
    if (texts.has(key)) continue;
    const bytes = new Uint8Array(await source.read(start, end - start));
    parts.push(counts.has(key) ? withNumber(bytes, counts.get(key)!) : bytes);
  }
  for (const [key, text] of texts) parts.push(string(key), uint32(stringKind), string(text));
  const added = [...texts.keys()].filter((key) => !metadata.has(key)).length;
  return { count: metadata.size + added, parts };
}

/** A key whose value is one number of at least two bytes, with another number in it. */
function withNumber(bytes: Uint8Array, value: number): Uint8Array {
  const changed = bytes.slice();
  const at = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)) + 4;
  let rest = value;
  for (let i = at; i < changed.length; i++, rest = Math.floor(rest / 256)) changed[i] = rest % 256;
  return changed;
}

function describe(tensors: readonly TensorToWrite[], alignment: number): Uint8Array[] {
  let offset = 0;
  return tensors.flatMap(({ name, shape, type, byteLength }) => {
    const at = offset;
    offset = padded(offset + byteLength, alignment);
    return [string(name), uint32(shape.length), ...[...shape].reverse().map(uint64), uint32(typeId(type)), uint64(at)];
  });
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function string(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const whole = new Uint8Array(8 + bytes.length);
  whole.set(uint64(bytes.length));
  whole.set(bytes, 8);
  return whole;
}

function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function uint64(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}
