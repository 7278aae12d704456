import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { bytesPerElement, decodeIntegers, type IntegerDType, isIntegerDType } from "../../tensor/dtype.js";
import { readNpyHeader } from "../../tensor/npy.js";
import type { Document } from "../corpus.js";

/** Number type of a raw file of token ids, little-endian. */
export type TokenDType = "uint16" | "uint32";

const dtypeOf = { uint16: "U16", uint32: "U32" } as const;

/** Bytes read at a time; a multiple of every width. */
const readSize = 2 ** 20;

/**
 * Ready-made token ids in a NumPy .npy file of whole numbers, [n] or [rows, n]: one document, or one a row.
 * @throws InputError if it is no such array
 */
export async function* npyDocuments(source: ByteSource): AsyncGenerator<Document> {
  const { name, dtype, shape, offset, source: data } = await readNpyHeader(source);
  if (!isIntegerDType(dtype) || dtype === "BOOL") {
    throw new InputError(name, `header field descr: ${dtype}; token ids are whole numbers`);
  }
  if (shape.length !== 1 && shape.length !== 2) {
    throw new InputError(name, `header field shape: [${shape.join(", ")}]; [n] or [rows, n] is wanted`);
  }
  const width = bytesPerElement[dtype];
  const rowBytes = shape.at(-1)! * width;
  const read = readAhead(data);
  if (shape.length === 1) yield { name, ids: idStream(data.name, dtype, offset, rowBytes, read) };
  // A shape of [huge, 0] has no bytes to bound it.
  const rows = shape.length === 1 || rowBytes === 0 ? 0 : shape[0]!;
  for (let row = 0; row < rows; row++) {
    yield { name: `${name} row ${row}`, ids: idStream(data.name, dtype, offset + row * rowBytes, rowBytes, read) };
  }
}

/** Ready-made token ids as raw little-endian numbers, one document. @throws InputError if the size doesn't fit the type */
export async function* rawIdDocuments(source: ByteSource, tokenDType: TokenDType): AsyncGenerator<Document> {
  const dtype = dtypeOf[tokenDType];
  if (source.size % bytesPerElement[dtype] !== 0) {
    throw new InputError(source.name, `has ${source.size} bytes, not a whole number of ${tokenDType} ids`);
  }
  yield { name: source.name, ids: idStream(source.name, dtype, 0, source.size, readAhead(source)) };
}

type Read = (offset: number, length: number) => Promise<Uint8Array>;

/** Reads a good piece of the file at a time, so that short rows don't cost a read each. */
function readAhead(source: ByteSource): Read {
  let start = 0;
  let block = new Uint8Array(0);
  return async (offset, length) => {
    if (offset < start || offset + length > start + block.length) {
      start = offset;
      block = new Uint8Array(await source.read(offset, Math.min(readSize, source.size - offset)));
    }
    return block.subarray(offset - start, offset - start + length);
  };
}

async function* idStream(
  name: string,
  dtype: IntegerDType,
  offset: number,
  byteLength: number,
  read: Read,
): AsyncGenerator<ArrayLike<number>> {
  for (let done = 0; done < byteLength; done += readSize) {
    const bytes = await read(offset + done, Math.min(readSize, byteLength - done));
    try {
      yield decodeIntegers(dtype, bytes);
    } catch (error) {
      // A 64-bit number beyond 2^53.
      throw new InputError(name, (error as Error).message, { cause: error });
    }
  }
}
