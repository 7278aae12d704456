import { InputError } from "../../errors.js";
import { quote } from "../strict-json.js";

/** Kinds of metadata values by their number in the file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). */
const kinds = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
] as const;

export type GgufKind = (typeof kinds)[number];
type NumberKind = Exclude<GgufKind, "string" | "array" | "bool">;

/** A value of a file's metadata, lists as lists. 64-bit numbers are those of doubles. */
export type GgufValue = number | boolean | string | readonly number[] | readonly boolean[] | readonly string[];

/** A list as long has more tokens and merges than any vocabulary. */
const maxItems = 2 ** 22;

const widths: Record<NumberKind | "bool", number> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

const readers: Record<NumberKind, (view: DataView, place: number) => number> = {
  uint8: (view, place) => view.getUint8(place),
  int8: (view, place) => view.getInt8(place),
  uint16: (view, place) => view.getUint16(place, true),
  int16: (view, place) => view.getInt16(place, true),
  uint32: (view, place) => view.getUint32(place, true),
  int32: (view, place) => view.getInt32(place, true),
  float32: (view, place) => view.getFloat32(place, true),
  uint64: (view, place) => Number(view.getBigUint64(place, true)),
  int64: (view, place) => Number(view.getBigInt64(place, true)),
  float64: (view, place) => view.getFloat64(place, true),
};

/** What comes next of a file's first bytes, in its order. */
export interface HeaderCursor {
  /** Of the next byte. */
  readonly place: number;
  number(kind: NumberKind): number;
  /** A count or offset of 64 bits. @throws InputError if it is beyond what doubles count exactly */
  count(what: string): number;
  string(what: string, longest: number): string;
  /** A metadata value of any kind. */
  value(what: string): GgufValue;
}

/** Longest text of the metadata: templates of chats have some hundred kilobytes. */
const maxTextBytes = 2 ** 24;

/** More bytes of the file are wanted than were read so far. */
export class BytesWanted {
  constructor(
    /** How many from its start. */
    readonly bytes: number,
  ) {}
}

/**
 * Reads through the first bytes of a file.
 * @param bytes what was read of it so far  @param size of all of it
 */
export function headerCursor(name: string, bytes: Uint8Array, size: number): HeaderCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const utf8 = new TextDecoder();
  let place = 0;
  /** Where the next `length` bytes start. */
  const take = (length: number, what: string): number => {
    const end = place + length;
    if (end > size) {
      throw new InputError(name, `${what} ends beyond the file's ${size} bytes: cut off, download it again`);
    }
    if (end > bytes.length) throw new BytesWanted(end);
    place = end;
    return end - length;
  };
  const number = (kind: NumberKind, what: string): number => readers[kind](view, take(widths[kind], what));
  const count = (what: string): number => {
    const found = number("uint64", what);
    if (!Number.isSafeInteger(found)) throw new InputError(name, `${what} is ${found}, more than any file holds`);
    return found;
  };
  const string = (what: string, longest: number): string => {
    const length = count(`the length of ${what}`);
    if (length > longest) throw new InputError(name, `${what} is ${length} bytes long; ${longest} are the most`);
    const start = take(length, what);
    return utf8.decode(bytes.subarray(start, start + length));
  };
  const bool = (what: string): boolean => {
    const byte = number("uint8", what);
    if (byte > 1) throw new InputError(name, `${what} is ${byte} where 0 or 1 is wanted`);
    return byte === 1;
  };
  const kind = (what: string): GgufKind => {
    const id = number("uint32", `the kind of ${what}`);
    const found = kinds[id];
    if (found === undefined) throw new InputError(name, `${what} has the unknown kind ${id}`);
    return found;
  };
  const list = (what: string): GgufValue => {
    const of = kind(`the list ${what}`);
    if (of === "array") throw new InputError(name, `${what} is a list of lists, which no model needs`);
    const length = count(`the length of ${what}`);
    if (length > maxItems) throw new InputError(name, `${what} has ${length} items; ${maxItems} are the most`);
    if (of === "string") return items(length, () => string(`an item of ${what}`, maxTextBytes));
    if (of === "bool") return items(length, () => bool(`an item of ${what}`));
    const start = take(length * widths[of], what);
    return items(length, (index) => readers[of](view, start + index * widths[of]));
  };
  return {
    get place() {
      return place;
    },
    number: (of) => number(of, "a number"),
    count,
    string,
    value(what) {
      const of = kind(what);
      if (of === "array") return list(what);
      if (of === "string") return string(what, maxTextBytes);
      return of === "bool" ? bool(what) : number(of, what);
    },
  };
}

/** A loop, since a list made to its length beforehand would take memory for items that the file does not have. */
function items<Item>(length: number, next: (index: number) => Item): Item[] {
  const found: Item[] = [];
  for (let index = 0; index < length; index++) found.push(next(index));
  return found;
}

/** Of a key, in messages: damaged files have endless ones. */
const longestShown = 60;

/** For messages. */
export const keyName = (key: string): string => `metadata ${quote(key.slice(0, longestShown))}`;
