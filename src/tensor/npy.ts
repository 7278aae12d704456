import { InputError } from "../errors.js";
import { type ByteSource, bytesSource } from "./byte-source.js";
import { bytesPerElement, type DType } from "./dtype.js";
import { shapeSize, type TensorEntry } from "./safetensors/safetensors.js";
import { type TensorData, tensorBytes } from "./safetensors/write-safetensors.js";
import { quote } from "./strict-json.js";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy's own limit: it refuses to parse a longer header. */
const maxHeaderBytes = 10_000;

/** NumPy's own limit on the number of dimensions. */
const maxRank = 64;

/** NumPy's kind and width of the types that both formats have. */
const dtypeOf: Record<string, DType> = {
  b1: "BOOL",
  u1: "U8",
  i1: "I8",
  u2: "U16",
  i2: "I16",
  f2: "F16",
  u4: "U32",
  i4: "I32",
  f4: "F32",
  u8: "U64",
  i8: "I64",
  f8: "F64",
};

/**
 * The array of a NumPy .npy file (format 1.0 to 3.0, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)
 * as a tensor named after the file, for readTensor and readIntegers. A big-endian array is turned round in memory.
 * @throws InputError if the file is broken, or its array is structured, of objects or text, or in Fortran order
 */
export async function readNpyHeader(source: ByteSource): Promise<TensorEntry> {
  const header = await readHeaderText(source);
  const { descr, fortranOrder, shape } = parseHeader(source, header.text);
  const [dtype, bigEndian] = parseType(source, descr);
  if (fortranOrder && shape.filter((length) => length > 1).length > 1) {
    throw new InputError(
      source.name,
      "header field fortran_order is True: save numpy.ascontiguousarray(array) instead",
    );
  }
  const byteLength = shapeSize(shape, bytesPerElement[dtype]);
  const { offset } = header;
  if (byteLength !== source.size - offset) {
    throw new InputError(
      source.name,
      `header field shape: ${dtype} [${shape.join(", ")}] needs ${byteLength ?? "too many"} bytes, not ${source.size - offset}`,
    );
  }
  const entry = { name: source.name, dtype, shape, offset, byteLength, source };
  return bigEndian ? turnRound(entry) : entry;
}

/**
 * A .npy file, byte for byte as numpy.save writes it.
 * @throws RangeError if the data does not have the bytes of its dtype and shape, or NumPy has no such dtype
 */
export function writeNpy(array: Omit<TensorData, "name">): Uint8Array<ArrayBuffer> {
  const { dtype, shape } = array;
  const type = Object.keys(dtypeOf).find((key) => dtypeOf[key] === dtype);
  if (type === undefined) throw new RangeError(`NumPy has no type for ${dtype}`);
  const order = bytesPerElement[dtype] === 1 ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  let header = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Room for the first size to grow in place, as NumPy leaves it.
  if (shape.length > 0) header += " ".repeat(21 - String(shape[0]).length);
  // At least one space, as NumPy has it; the data starts at a multiple of 64.
  header = `${header.padEnd(Math.floor((header.length + 11) / 64 + 1) * 64 - 11)}\n`;
  const data = tensorBytes({ ...array, name: "array" });
  const file = new Uint8Array(10 + header.length + data.byteLength);
  file.set([...magic, 1, 0, header.length & 255, header.length >> 8]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(data, 10 + header.length);
  return file;
}

async function readHeaderText(source: ByteSource): Promise<{ text: string; offset: number }> {
  const start = await source.read(0, Math.min(source.size, 12));
  if (start.length < 12 || magic.some((byte, i) => start[i] !== byte)) {
    throw new InputError(source.name, "is not a NumPy .npy file");
  }
  const data = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const [major, minor] = [start[6]!, start[7]!];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new InputError(source.name, `is of .npy version ${major}.${minor}; known are 1.0, 2.0 and 3.0`);
  }
  const from = major === 1 ? 10 : 12;
  const length = major === 1 ? data.getUint16(8, true) : data.getUint32(8, true);
  if (length > Math.min(maxHeaderBytes, source.size - from)) {
    throw new InputError(
      source.name,
      `header length ${length} is beyond the end of the file or ${maxHeaderBytes} bytes`,
    );
  }
  // Version 3 is UTF-8, for the names in structured types; what is read here is ASCII either way.
  const text = new TextDecoder("latin1").decode(await source.read(from, length));
  return { text, offset: from + length };
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** Text, True and False, whole numbers (Python 2 wrote a long one with an L), and what stands between them. */
const token = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|(\d+)L?|([{}(),:]))/y;

/** A Python dict of exactly descr, fortran_order and shape, in any order. */
function parseHeader(source: ByteSource, text: string): Header {
  let at = 0;
  let peeked: string | undefined;

  function refuse(): InputError {
    return new InputError(source.name, `header ${quote(text.trim())} is not that of a plain array (byte ${at} of it)`);
  }

  /** The next token: punctuation and words as they are, text with a quote before it. */
  function next(): string {
    if (peeked !== undefined) {
      const value = peeked;
      peeked = undefined;
      return value;
    }
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw refuse();
    at = token.lastIndex;
    const quoted = match[1] ?? match[2];
    return quoted === undefined ? (match[3] ?? match[4] ?? match[5]!) : `'${quoted}`;
  }

  function peek(): string {
    peeked ??= next();
    return peeked;
  }

  function expect(wanted: string): void {
    if (next() !== wanted) throw refuse();
  }

  function string(): string {
    const value = next();
    if (!value.startsWith("'")) throw refuse();
    return value.slice(1);
  }

  function boolean(): boolean {
    const value = next();
    if (value !== "True" && value !== "False") throw refuse();
    return value === "True";
  }

  function tuple(): number[] {
    const values: number[] = [];
    expect("(");
    while (peek() !== ")") {
      const value = Number(next());
      if (!Number.isSafeInteger(value) || values.length === maxRank) throw refuse();
      values.push(value);
      // A tuple of one has a comma too.
      if (values.length === 1 || peek() !== ")") expect(",");
    }
    expect(")");
    return values;
  }

  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  expect("{");
  while (peek() !== "}") {
    const key = string();
    expect(":");
    if (key === "descr" && text.slice(at).trimStart().startsWith("[")) {
      throw new InputError(source.name, "header field descr is a structured type: save its fields one by one");
    }
    if (key === "descr" && descr === undefined) descr = string();
    else if (key === "fortran_order" && fortranOrder === undefined) fortranOrder = boolean();
    else if (key === "shape" && shape === undefined) shape = tuple();
    else throw refuse();
    if (peek() !== "}") expect(",");
  }
  expect("}");
  if (text.slice(at).trim() !== "") throw refuse();
  if (descr === undefined || fortranOrder === undefined || shape === undefined) throw refuse();
  return { descr, fortranOrder, shape };
}

function parseType(source: ByteSource, descr: string): [dtype: DType, bigEndian: boolean] {
  const order = descr[0] ?? "";
  const type = descr.slice(1);
  const dtype = Object.hasOwn(dtypeOf, type) ? dtypeOf[type] : undefined;
  if (dtype === undefined || !"<>|".includes(order) || (order === "|" && bytesPerElement[dtype] > 1)) {
    throw new InputError(
      source.name,
      `header field descr: type ${quote(descr)} is unknown; known are ${Object.keys(dtypeOf).join(", ")}, after <, > or |`,
    );
  }
  return [dtype, order === ">" && bytesPerElement[dtype] > 1];
}

async function turnRound(entry: TensorEntry): Promise<TensorEntry> {
  const bytes = (await entry.source.read(entry.offset, entry.byteLength)).slice();
  const width = bytesPerElement[entry.dtype];
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return { ...entry, offset: 0, source: bytesSource(entry.source.name, bytes) };
}
