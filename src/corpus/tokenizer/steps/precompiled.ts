import { Refusal } from "../refusal.js";

/** Where graphemes may have several characters: all that is not ASCII, with the characters beside it. */
const mixed = /(?:(?:\r\n|[\0-\x7f])?[^\0-\x7f]+)+(?:\r\n|[\0-\x7f])?|\r\n/g;
/** A grapheme of more bytes is not looked up as a whole. */
const maxGraphemeBytes = 5;
const utf8 = new TextEncoder();

/**
 * SentencePiece's normalizer: the map in the file, a double array that leads from a text's bytes to what it becomes. As in
 * the Rust tokenizers the shortest entry that begins a grapheme replaces all of it.
 * @param base64 the map: the array's size in bytes, the array, the texts, each ended by a zero
 * @throws Refusal if it is no such map
 */
export function precompiledNormalizer(
  base64: string,
  field: string,
): { apply(text: string): string; beginOf(text: string, begin: number): number } {
  const map = readMap(decodeBase64(base64, field), field);
  const lookUp = (bytes: Uint8Array) => map(bytes, "shortest")?.text;
  const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
  const known = new Map<string, string>();

  const changesOf = (grapheme: string): [from: string, to: string][] => {
    const bytes = utf8.encode(grapheme);
    const whole = bytes.length <= maxGraphemeBytes ? lookUp(bytes) : undefined;
    if (whole !== undefined) return [[grapheme, whole]];
    return Array.from(grapheme, (character) => [character, lookUp(utf8.encode(character)) ?? character]);
  };
  const ofGrapheme = (grapheme: string): string => {
    let normalized = known.get(grapheme);
    if (normalized === undefined) {
      normalized = changesOf(grapheme)
        .map(([, to]) => to)
        .join("");
      if (known.size < maxKnown) known.set(grapheme, normalized);
    }
    return normalized;
  };
  const ofAscii = (text: string): string => {
    let normalized = "";
    for (const character of text) normalized += ofGrapheme(character);
    return normalized;
  };
  return {
    apply(text) {
      let normalized = "";
      let end = 0;
      for (const { 0: part, index } of text.matchAll(mixed)) {
        normalized += ofAscii(text.slice(end, index));
        for (const { segment } of segmenter.segment(part)) normalized += ofGrapheme(segment);
        end = index + part.length;
      }
      return normalized + ofAscii(text.slice(end));
    },
    beginOf(text, begin) {
      const wanted = Array.from(text.slice(0, begin)).length;
      return unitsFrom(wanted, changesAlong(text));
    },
  };

  function* changesAlong(text: string): Generator<[from: string, to: string]> {
    for (const { segment } of segmenter.segment(text)) yield* changesOf(segment);
  }
}

/**
 * How many units of what changes make come from a text's first characters. The Rust tokenizers count the characters by how many
 * there are more or fewer, so that what is dropped before anything else shifts all that follows.
 */
function unitsFrom(wanted: number, changes: Iterable<[from: string, to: string]>): number {
  let units = 0;
  let used = 0;
  for (const [from, to] of changes) {
    const before = Array.from(from).length;
    const after = Array.from(to);
    for (const [index, character] of after.entries()) {
      const isNew = index >= before;
      if ((isNew ? used - 1 : used) >= wanted) return units;
      units += character.length;
      if (!isNew) used++;
    }
    if (units > 0) used += Math.max(0, before - after.length);
  }
  return units;
}

/** Graphemes remembered at most. */
const maxKnown = 2 ** 16;

/** What the bytes' shortest, or longest, beginning in a map becomes, and its length; undefined if it has none. */
export type MapLookUp = (key: Uint8Array, which: "shortest" | "longest") => { text: string; bytes: number } | undefined;

/** @throws Refusal if the bytes are no such map */
export function readMap(bytes: Uint8Array, field: string): MapLookUp {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) {
    throw new Refusal(field, "is not a map: its first four bytes are not the size of its array");
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, index) => view.getUint32(4 + 4 * index, true));
  const texts = bytes.subarray(4 + size);
  const textAt = (start: number): string | undefined => {
    if (start >= texts.length) return undefined;
    const end = texts.indexOf(0, start);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(texts.subarray(start, end < 0 ? undefined : end));
  };
  return (key, which) => {
    let found: { start: number; bytes: number } | undefined;
    let at = childrenOf(units[0]!);
    for (const [index, byte] of key.entries()) {
      if (byte === 0) break;
      at ^= byte;
      const unit = units[at];
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) break;
      at ^= childrenOf(unit);
      if (((unit >>> 8) & 1) === 0) continue;
      found = { start: (units[at] ?? 0) & 0x7fffffff, bytes: index + 1 };
      if (which === "shortest") break;
    }
    const text = found && textAt(found.start);
    return text === undefined ? undefined : { text, bytes: found!.bytes };
  };
}

/** Where a unit's children begin, relative to it. */
function childrenOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function decodeBase64(text: string, field: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (error) {
    throw new Refusal(field, `is not base64: ${(error as Error).message}`);
  }
}
