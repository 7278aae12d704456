import type { TokenizerFile, TokenizerStep } from "./tokenizer-file.js";

/**
 * How a vocabulary's entries are shown as the text that they stand for: byte-level letters as the bytes that they stand
 * for, a mark for a space as a space, `<0x0A>` as that byte. Bytes that are no valid UTF-8 alone give U+FFFD.
 */
export function tokenTextOf(file: TokenizerFile): (token: string) => string {
  const steps = [...flatten(file.pre_tokenizer), ...flatten(file.decoder)];
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

/** The steps of a Sequence, or the one step. */
export function flatten(step: TokenizerStep | null | undefined): TokenizerStep[] {
  if (step === null || step === undefined) return [];
  const children = [step.pretokenizers, step.decoders, step.normalizers].find(Array.isArray) as
    | (TokenizerStep | null)[]
    | undefined;
  return step.type === "Sequence" && children !== undefined ? children.flatMap(flatten) : [step];
}

/** The character that a decoding step turns into a space. */
function spaceMark(step: TokenizerStep): string | undefined {
  if (step.type === "Metaspace") return typeof step.replacement === "string" ? step.replacement : "\u2581";
  if (step.type !== "Replace" || step.content !== " ") return undefined;
  const mark = (step.pattern as { String?: unknown } | null | undefined)?.String;
  return typeof mark === "string" && mark !== "" ? mark : undefined;
}

/** Letter of byte-level vocabularies for each byte (GPT-2's `bytes_to_unicode`): itself if visible, else one from U+0100 on. */
export const byteLetters: readonly string[] = (() => {
  const visible = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
})();

const byteOfLetter = new Map(byteLetters.map((letter, byte) => [letter, byte]));

function byteLevelText(token: string): string {
  const bytes = Array.from(token, (letter) => byteOfLetter.get(letter));
  return bytes.every((byte) => byte !== undefined) ? decodeUtf8(bytes) : token;
}

/**
 * The bytes that an entry of a vocabulary of bytes stands for, which its text does not tell of pieces of characters: `<0xE2>`, or
 * byte-level letters. @returns undefined if it is neither
 */
export function piecesBytes(entry: string): number[] | undefined {
  const single = /^<0x([0-9A-Fa-f]{2})>$/.exec(entry)?.[1];
  if (single !== undefined) return [Number.parseInt(single, 16)];
  const bytes = Array.from(entry, (letter) => byteOfLetter.get(letter));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}

function decodeUtf8(bytes: number[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
