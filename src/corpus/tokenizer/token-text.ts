import type { TokenizerFile } from "./files/tokenizer-file.js";
import { bytesOf } from "./steps/byte-letters.js";
import { flatten, type Step } from "./steps/step.js";

/** What of a tokenizer tells how its tokens are shown. */
export type ShownParts = Pick<TokenizerFile, "normalizer" | "pre_tokenizer" | "decoder"> & {
  model: Pick<TokenizerFile["model"], "end_of_word_suffix" | "byte_fallback">;
};

/**
 * How a vocabulary's entries are shown as the text that they stand for: byte-level letters as the bytes that they stand
 * for, a mark for a space as a space, `<0x0A>` as that byte. Bytes that are no valid UTF-8 alone give U+FFFD.
 */
export function tokenTextOf(file: ShownParts): (token: string) => string {
  const steps = [
    ...flatten(file.normalizer, "normalizer").filter(({ step }) => step.type === "ByteLevel"),
    ...flatten(file.pre_tokenizer, "pre_tokenizer"),
    ...flatten(file.decoder, "decoder"),
  ].map(({ step }) => step);
  if (steps.some(({ type }) => type === "ByteLevel")) return byteLevelText;
  const spaceMarks = steps.map(spaceMark).filter((mark) => mark !== undefined);
  const suffix = file.model.end_of_word_suffix;
  const hasSuffix = typeof suffix === "string" && suffix !== "";
  const hasByteTokens = file.model.byte_fallback === true || steps.some(({ type }) => type === "ByteFallback");
  return (token) => {
    const byte = hasByteTokens ? /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1] : undefined;
    if (byte !== undefined) return decodeUtf8([Number.parseInt(byte, 16)]);
    const spaced = spaceMarks.reduce((text, mark) => text.replaceAll(mark, " "), token);
    return hasSuffix && spaced.endsWith(suffix) ? `${spaced.slice(0, -suffix.length)} ` : spaced;
  };
}

/** The character that a decoding step turns into a space. */
function spaceMark(step: Step): string | undefined {
  if (step.type === "Metaspace") return typeof step.replacement === "string" ? step.replacement : "\u2581";
  if (step.type !== "Replace" || step.content !== " ") return undefined;
  const mark = (step.pattern as { String?: unknown } | null | undefined)?.String;
  return typeof mark === "string" && mark !== "" ? mark : undefined;
}

function byteLevelText(token: string): string {
  const bytes = bytesOf(token);
  return bytes === undefined ? token : decodeUtf8(bytes);
}

/**
 * The bytes that an entry of a vocabulary of bytes stands for, which its text does not tell of pieces of characters: `<0xE2>`, or
 * byte-level letters. @returns undefined if it is neither
 */
export function piecesBytes(entry: string): number[] | undefined {
  const single = /^<0x([0-9A-Fa-f]{2})>$/.exec(entry)?.[1];
  if (single !== undefined) return [Number.parseInt(single, 16)];
  return bytesOf(entry);
}

function decodeUtf8(bytes: number[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
