import * as z from "zod";
import { Refusal } from "../refusal.js";
import { bytesOf } from "./byte-letters.js";
import { matcher, replaceMatches } from "./patterns.js";
import { flatten, metaspaceShape, patternShape, type Step, stepFields } from "./step.js";

type Decode = (tokens: string[]) => string[];

/**
 * What makes a text of tokens, as the decoder of a tokenizer.json says it.
 * @throws Refusal naming the step that is unknown or cannot be used
 */
export function createDecoder(step: Step | null | undefined): (tokens: string[]) => string {
  const steps = flatten(step, "decoder").map(({ step, field }) => single(step, field));
  if (step === null || step === undefined) return (tokens) => tokens.join(" ");
  return (tokens) => steps.reduce((decoded, decode) => decode(decoded), tokens).join("");
}

function single(step: Step, field: string): Decode {
  switch (step.type) {
    case "ByteLevel":
      return (tokens) => [decodeUtf8(tokens.flatMap((token) => bytesOf(token) ?? [...utf8.encode(token)]))];
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Metaspace":
      return metaspace(stepFields(step, field, metaspaceShape));
    case "Replace": {
      const { pattern, content } = stepFields(step, field, z.object({ pattern: patternShape, content: z.string() }));
      const match = matcher(pattern, `${field}.pattern`);
      return (tokens) => tokens.map((token) => replaceMatches(token, match(token), content));
    }
    case "Strip":
      return strip(stepFields(step, field, stripShape));
    case "BPEDecoder":
      return wordEnds(stepFields(step, field, z.object({ suffix: z.string().default("</w>") })).suffix);
    case "WordPiece":
      return wordPiece(stepFields(step, field, wordPieceShape));
    case "CTC":
      return ctc(stepFields(step, field, ctcShape));
    default:
      throw new Refusal(`${field}.type`, `is ${JSON.stringify(step.type.slice(0, 40))}, an unknown decoder`);
  }
}

const utf8 = new TextEncoder();

/** Text of bytes, U+FFFD where they are no valid UTF-8. */
function decodeUtf8(bytes: readonly number[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

/** Runs of `<0xNN>` as the text of their bytes; where they are none, a U+FFFD for each. */
function byteFallback(tokens: string[]): string[] {
  const decoded: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    const text = decodeUtf8(bytes);
    const isText = `${utf8.encode(text)}` === `${bytes}`;
    if (isText) decoded.push(text);
    else for (const _ of bytes) decoded.push("\ufffd");
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/.exec(token)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      decoded.push(token);
    }
  }
  flush();
  return decoded;
}

function metaspace(options: z.infer<typeof metaspaceShape>): Decode {
  const first = options.prepend_scheme === "never" ? " " : "";
  return (tokens) => tokens.map((token, index) => token.replaceAll(options.replacement, index === 0 ? first : " "));
}

const stripShape = z.object({ content: z.string(), start: z.int().min(0), stop: z.int().min(0) });

function strip({ content, start, stop }: z.infer<typeof stripShape>): Decode {
  return (tokens) =>
    tokens.map((token) => {
      const characters = Array.from(token);
      let from = 0;
      let to = characters.length;
      while (from < Math.min(start, characters.length) && characters[from] === content) from++;
      while (characters.length - to < stop && to > from && characters[to - 1] === content) to--;
      return characters.slice(from, to).join("");
    });
}

function wordEnds(suffix: string): Decode {
  return (tokens) => tokens.map((token, index) => token.replaceAll(suffix, index === tokens.length - 1 ? "" : " "));
}

const wordPieceShape = z.object({ prefix: z.string().default("##"), cleanup: z.boolean().default(true) });

function wordPiece({ prefix, cleanup }: z.infer<typeof wordPieceShape>): Decode {
  return (tokens) =>
    tokens.map((token, index) => {
      const joined = index === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      return cleanup ? cleaned(joined) : joined;
    });
}

const ctcShape = z.object({
  pad_token: z.string().default("<pad>"),
  word_delimiter_token: z.string().default("|"),
  cleanup: z.boolean().default(true),
});

function ctc({ pad_token, word_delimiter_token, cleanup }: z.infer<typeof ctcShape>): Decode {
  return (tokens) =>
    tokens
      .filter((token, index) => token !== tokens[index - 1])
      .map((token) => {
        const text = token.replaceAll(pad_token, "");
        return cleanup ? cleaned(text).replaceAll(word_delimiter_token, " ") : text;
      })
      .filter((text) => text !== "");
}

const cleanUps = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;

/** Without the spaces that splitting into words has put before punctuation. */
function cleaned(text: string): string {
  return cleanUps.reduce((clean, [from, to]) => clean.replaceAll(from, to), text);
}
