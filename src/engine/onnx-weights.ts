import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "onnx-buf";
import { InputError } from "../errors.js";
import { type ByteSource, checkRange } from "../tensor/byte-source.js";
import { bytesPerElement, type DType } from "../tensor/dtype.js";
import { shapeSize, type TensorEntry } from "../tensor/safetensors/safetensors.js";
import { quote } from "../tensor/strict-json.js";
import { weightTypes } from "./graph-protos.js";

/** A tag and a length, or a tag and a number: at most five bytes and ten. */
const maxFieldStart = 15;

/** What says of a tensor what it is takes far less. */
const maxTensorFields = 2 ** 16;

/** Read at once, for the many small fields of a graph. */
const windowBytes = 2 ** 16;

/**
 * The weights of an ONNX file as tensors where they lie, inside the file or beside it; nothing of their bytes is read.
 * Constants of other number types than weights have are left out.
 * @param openBeside opens the file of that location
 * @throws InputError if it is not an ONNX file, is cut off, or says of a weight what cannot be
 */
export async function readOnnxWeights(
  file: ByteSource,
  openBeside: (location: string) => Promise<ByteSource | undefined>,
): Promise<ReadonlyMap<string, TensorEntry>> {
  const source = windowed(file);
  const weights = new Map<string, TensorEntry>();
  const beside = new Map<string, ByteSource>();
  const place = async (tensor: TensorProto, byteLength: number, raw: Field | undefined) => {
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) {
      if (raw !== undefined && raw.end - raw.start === byteLength) return { source: file, offset: raw.start };
      throw new InputError(file.name, `weight ${quote(tensor.name)} does not have ${byteLength} bytes of raw data`);
    }
    const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
    const location = entries.get("location") ?? "";
    const found = beside.get(location) ?? (await openBeside(location));
    if (found === undefined) throw new InputError(file.name, `keeps weights in ${quote(location)}, which is missing`);
    beside.set(location, found);
    const offset = Number(entries.get("offset") ?? 0);
    checkRange(found, offset, byteLength);
    return { source: found, offset };
  };
  for await (const graph of fields(source, 0, file.size)) {
    if (graph.number !== ModelProtoSchema.field.graph.number) continue;
    for await (const initializer of fields(source, graph.start, graph.end)) {
      if (initializer.number !== GraphProtoSchema.field.initializer.number) continue;
      const { tensor, raw } = await tensorFields(source, initializer);
      const known = layout(file, tensor);
      if (known === undefined) continue;
      if (weights.has(tensor.name)) throw new InputError(file.name, `names the weight ${quote(tensor.name)} twice`);
      weights.set(tensor.name, { ...known, ...(await place(tensor, known.byteLength, raw)) });
    }
  }
  return weights;
}

/** A field of a protobuf message: where it starts, where its value lies. */
interface Field {
  readonly number: number;
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** The fields of the message that lies at [start, end) (https://protobuf.dev/programming-guides/encoding/). */
async function* fields(source: ByteSource, start: number, end: number): AsyncGenerator<Field> {
  for (let tag = start; tag < end; ) {
    const reader = new BinaryReader(await source.read(tag, Math.min(maxFieldStart, end - tag)));
    const { number, size } = fieldStart(source.name, reader);
    const field = { number, tag, start: tag + reader.pos, end: tag + reader.pos + size };
    if (field.end > end) throw notOnnx(source.name);
    yield field;
    tag = field.end;
  }
}

/** Reads on to where the value's bytes start, or behind a number. */
function fieldStart(place: string, reader: BinaryReader): { number: number; size: number } {
  try {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) return { number, size: reader.uint32() };
    reader.skip(type);
    return { number, size: 0 };
  } catch (error) {
    throw notOnnx(place, error);
  }
}

const notOnnx = (place: string, cause?: unknown) =>
  new InputError(place, "is cut off, or not an ONNX file", cause === undefined ? {} : { cause });

/** Name, type and shape of a TensorProto, and where its bytes lie. */
async function tensorFields(
  source: ByteSource,
  whole: Field,
): Promise<{ tensor: TensorProto; raw: Field | undefined }> {
  const parts: Uint8Array[] = [];
  let raw: Field | undefined;
  let length = 0;
  for await (const field of fields(source, whole.start, whole.end)) {
    if (field.number === TensorProtoSchema.field.rawData.number) {
      raw = field;
      continue;
    }
    length += field.end - field.tag;
    if (length > maxTensorFields) throw new InputError(source.name, "holds weights in another form than as raw data");
    parts.push(new Uint8Array(await source.read(field.tag, field.end - field.tag)));
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const part of parts) {
    bytes.set(part, filled);
    filled += part.length;
  }
  try {
    return { tensor: fromBinary(TensorProtoSchema, bytes), raw };
  } catch (error) {
    throw notOnnx(source.name, error);
  }
}

/** Undefined for number types that weights do not have. */
function layout(
  file: ByteSource,
  { name, dims, dataType }: TensorProto,
): Omit<TensorEntry, "source" | "offset"> | undefined {
  const dtype = (Object.keys(weightTypes) as DType[]).find((type) => weightTypes[type] === dataType);
  if (dtype === undefined) return undefined;
  const shape = dims.map(Number);
  const byteLength = shapeSize(shape, bytesPerElement[dtype]);
  if (byteLength === undefined || shape.some((size) => size < 0)) {
    throw new InputError(file.name, `weight ${quote(name)} has the impossible shape [${shape.join(", ")}]`);
  }
  return { name, dtype, shape, byteLength };
}

/** The same bytes; short reads are answered from a piece that is read at once. */
function windowed(source: ByteSource): ByteSource {
  let start = 0;
  let window = new Uint8Array(0);
  return {
    ...source,
    async read(offset, length) {
      checkRange(source, offset, length);
      if (offset < start || offset + length > start + window.length) {
        start = offset;
        window = new Uint8Array(
          await source.read(offset, Math.min(Math.max(length, windowBytes), source.size - offset)),
        );
      }
      return window.subarray(offset - start, offset - start + length);
    },
  };
}
