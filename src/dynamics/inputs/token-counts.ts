import { InputError } from "../../errors.js";
import { type ByteSource, wholeFile } from "../../tensor/byte-source.js";
import { isIntegerDType } from "../../tensor/dtype.js";
import { readNpyHeader } from "../../tensor/npy.js";
import {
  readIntegers,
  readSafetensorsHeader,
  readTensorFloat64,
  type TensorEntry,
} from "../../tensor/safetensors/safetensors.js";
import { parseStrictJson, quote, shown } from "../../tensor/strict-json.js";
import { csvRows } from "./csv-table.js";

/** Text files of counts: a million ids at 60 characters each; and logs. */
export const maxTextBytes = 64 * 2 ** 20;

/** More ids than any vocabulary has. */
const maxVocabSize = 2 ** 24;

const tensorNames = ["token_counts", "counts", "frequencies"];

/**
 * Counts by token id, from .npy (one axis), .safetensors (the tensor `token_counts`, or the only one), .json (an array by id,
 * or an object of id: count, also under "counts") or .csv (columns id and count, or one column in the order of ids).
 * @returns [largest id + 1]
 * @throws InputError naming the place of what is no count
 */
export async function readTokenCounts(source: ByteSource): Promise<Float64Array> {
  const ending = /\.(npy|safetensors|json|csv|tsv)$/i.exec(source.name)?.[1]?.toLowerCase();
  switch (ending) {
    case "npy":
      return tensorCounts(await readNpyHeader(source));
    case "safetensors":
      return tensorCounts(await countsTensor(source));
    case "json":
      return jsonCounts(source.name, parseStrictJson(source.name, "file", await wholeFile(source, maxTextBytes)));
    case "csv":
    case "tsv":
      return csvCounts(source.name, decode(source.name, await wholeFile(source, maxTextBytes)));
    default:
      throw new InputError(source.name, "is no file of counts: its name must end in .npy, .safetensors, .json or .csv");
  }
}

/** @throws InputError if the bytes are not UTF-8 */
export function decode(place: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(place, "is not valid UTF-8", { cause: error });
  }
}

async function countsTensor(source: ByteSource): Promise<TensorEntry> {
  const { tensors } = await readSafetensorsHeader(source);
  const named = tensorNames.map((name) => tensors.get(name)).find((entry) => entry !== undefined);
  const entry = named ?? (tensors.size === 1 ? [...tensors.values()][0] : undefined);
  if (entry === undefined) {
    throw new InputError(source.name, `has no tensor ${quote(tensorNames[0]!)} and more than one other`);
  }
  return entry;
}

async function tensorCounts(entry: TensorEntry): Promise<Float64Array> {
  const place = entry.source.name;
  if (entry.shape.length !== 1) {
    throw new InputError(place, `has shape [${entry.shape.join(", ")}]; counts by id have one axis`);
  }
  checkLength(place, entry.shape[0]!);
  const counts = isIntegerDType(entry.dtype) ? await readIntegers(entry) : await readTensorFloat64(entry);
  for (let id = 0; id < counts.length; id++) checkCount(place, `id ${id}`, counts[id]!);
  return counts;
}

function jsonCounts(place: string, value: unknown): Float64Array {
  const inner =
    typeof value === "object" && value !== null && !Array.isArray(value) && "counts" in value ? value.counts : value;
  if (Array.isArray(inner)) {
    checkLength(place, inner.length);
    return Float64Array.from(inner, (count, id) => checkCount(place, `id ${id}`, count));
  }
  if (typeof inner !== "object" || inner === null) {
    throw new InputError(place, "is neither an array of counts nor an object of id: count");
  }
  return byId(
    place,
    Object.entries(inner).map(([id, count]) => [quote(id), parseNumber(id), count]),
  );
}

function csvCounts(place: string, text: string): Float64Array {
  const rows = csvRows(place, text);
  if (rows.length === 0) throw new InputError(place, "is empty");
  const header = rows[0]!.cells.map((cell) => cell.trim().toLowerCase());
  const hasHeader = header.some((cell) => cell !== "" && !Number.isFinite(parseNumber(cell)));
  const idColumn = hasHeader ? header.findIndex((cell) => /^(token_?)?id$/.test(cell)) : header.length > 1 ? 0 : -1;
  const countColumn = hasHeader
    ? header.findIndex((cell) => /^(token_?)?(counts?|freq|frequency)$/.test(cell))
    : header.length > 1
      ? 1
      : 0;
  if (countColumn < 0) throw new InputError(place, 'line 1: no column is named "count"');
  const body = hasHeader ? rows.slice(1) : rows;
  const cellOf = (row: { line: number; cells: string[] }, column: number) => {
    const cell = row.cells[column];
    if (cell === undefined) throw new InputError(place, `line ${row.line}: has no column ${column + 1}`);
    return parseNumber(cell);
  };
  if (idColumn < 0) {
    checkLength(place, body.length);
    return Float64Array.from(body, (row) => checkCount(place, `line ${row.line}`, cellOf(row, countColumn)));
  }
  return byId(
    place,
    body.map((row) => [`line ${row.line}`, cellOf(row, idColumn), cellOf(row, countColumn)]),
  );
}

function byId(place: string, entries: readonly (readonly [where: string, id: number, count: unknown])[]): Float64Array {
  let length = 0;
  for (const [where, id] of entries) {
    if (!Number.isSafeInteger(id) || id < 0 || id >= maxVocabSize) {
      throw new InputError(place, `${where}: is not a token id from 0 to ${maxVocabSize - 1}`);
    }
    length = Math.max(length, id + 1);
  }
  checkLength(place, length);
  const counts = new Float64Array(length);
  const seen = new Uint8Array(length);
  for (const [where, id, count] of entries) {
    if (seen[id]) throw new InputError(place, `${where}: id ${id} is listed twice`);
    seen[id] = 1;
    counts[id] = checkCount(place, where, count);
  }
  return counts;
}

function checkCount(place: string, where: string, count: unknown): number {
  if (typeof count === "number" && count >= 0 && count <= Number.MAX_SAFE_INTEGER) return count;
  const found = typeof count === "number" && !Number.isFinite(count) ? "what is there" : shown(count);
  throw new InputError(place, `${where}: ${found} is not a count`);
}

function checkLength(place: string, length: number): void {
  if (length === 0) throw new InputError(place, "holds no counts");
  if (length > maxVocabSize) throw new InputError(place, `holds ${length} counts, more than any vocabulary has`);
}

/** A number written out, NaN for anything else, such as an empty cell. Each text is matched in one way: in linear time. */
export function parseNumber(text: string): number {
  const trimmed = text.trim();
  return /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
}
