import { InputError } from "../../errors.js";
import { harmlessJsonLength, jsonPartsWatch, tooManyParts } from "../../tensor/json-parts.js";

/** One JSON value of a file, not parsed yet, and the line (from 1) on which it begins. */
export interface JsonText {
  json: string;
  line: number;
}

/** Longest document in characters: half of what a JavaScript string can hold. */
const maxDocumentLength = 2 ** 28;

/** The lines of a text that are not blank. @throws InputError if a line is too long */
export async function* jsonLines(name: string, text: AsyncIterable<string>): AsyncGenerator<JsonText> {
  const bound = valueBound(name);
  let line = 1;
  let rest = "";
  for await (const part of text) {
    let start = 0;
    for (let end = part.indexOf("\n"); end >= 0; end = part.indexOf("\n", start)) {
      const json = rest + part.slice(start, end);
      if (json.trim() !== "") yield { json, line };
      rest = "";
      bound.next();
      start = end + 1;
      line++;
    }
    const added = part.slice(start);
    rest += added;
    bound.check(line, rest, added);
  }
  if (rest.trim() !== "") yield { json: rest, line };
}

/**
 * The values of a JSON list, or values that follow each other with nothing but white space between, as they lie in a stream:
 * only one is held at a time. Nothing is checked inside a value but that brackets and quotes close.
 * @throws InputError if the text ends inside a value, or a list is followed by something
 */
export async function* jsonValues(name: string, text: AsyncIterable<string>): AsyncGenerator<JsonText> {
  const scan = newScan();
  const bound = valueBound(name);
  let value = "";
  let valueLine = 1;
  for await (const part of text) {
    // Start of the value being read; -1 between values. All before it has been given out.
    let start = value === "" ? -1 : 0;
    for (let at = 0; at < part.length; at++) {
      const event = step(scan, part.charCodeAt(at));
      if (event === "begin") {
        start = at;
        valueLine = scan.line;
      } else if (event === "end" || event === "endBefore") {
        const end = event === "end" ? at + 1 : at;
        yield { json: value + part.slice(start, end), line: valueLine };
        value = "";
        bound.next();
        start = -1;
      } else if (event === "stray") {
        throw new InputError(`${name} line ${scan.line}`, `a ${JSON.stringify(part[at])} is not wanted there`);
      }
    }
    const added = start < 0 ? "" : part.slice(start);
    value += added;
    bound.check(valueLine, value, added);
  }
  if (scan.place === "bare" && !scan.inList) yield { json: value, line: valueLine };
  else if (scan.place === "value" || scan.place === "bare") {
    throw new InputError(`${name} line ${valueLine}`, "begins a value that has no end: is the file complete?");
  } else if (scan.inList) throw new InputError(name, 'ends inside its list: the "]" is missing; is the file complete?');
}

/** Where a scan stands: between values, in one with brackets or quotes, or in a number or word. */
interface Scan {
  place: "start" | "between" | "value" | "bare" | "afterValue" | "afterComma" | "after";
  inList: boolean;
  depth: number;
  inString: boolean;
  escaped: boolean;
  line: number;
}

type ScanEvent = "begin" | "end" | "endBefore" | "stray" | undefined;

const newScan = (): Scan => ({
  place: "start",
  inList: false,
  depth: 0,
  inString: false,
  escaped: false,
  line: 1,
});

const newline = 10;
const quote = 34;
const comma = 44;
const openList = 91;
const backslash = 92;
const closeList = 93;
const openObject = 123;
const closeObject = 125;
const isBlank = (code: number): boolean => code === 32 || code === newline || code === 13 || code === 9;

function step(scan: Scan, code: number): ScanEvent {
  if (code === newline) scan.line++;
  if (scan.place === "value") return stepInside(scan, code);
  if (scan.place === "bare") {
    if (!isBlank(code) && code !== comma && code !== closeList) return undefined;
    scan.place = "afterValue";
    afterValue(scan, code);
    return "endBefore";
  }
  if (isBlank(code)) return undefined;
  if (scan.place === "start" && code === openList) {
    scan.inList = true;
    scan.place = "between";
    return undefined;
  }
  if (scan.place === "after") return "stray";
  if (scan.place === "afterValue" && scan.inList) return afterValue(scan, code);
  if (code === closeList && scan.inList && scan.place === "between") {
    scan.inList = false;
    scan.place = "after";
    return undefined;
  }
  if (code === comma || code === closeList || code === closeObject) return "stray";
  scan.place = code === quote || code === openList || code === openObject ? "value" : "bare";
  scan.inString = code === quote;
  scan.depth = code === openList || code === openObject ? 1 : 0;
  return "begin";
}

function stepInside(scan: Scan, code: number): ScanEvent {
  if (scan.inString) {
    if (scan.escaped) scan.escaped = false;
    else if (code === backslash) scan.escaped = true;
    else if (code === quote) scan.inString = false;
  } else if (code === quote) scan.inString = true;
  else if (code === openList || code === openObject) scan.depth++;
  else if (code === closeList || code === closeObject) scan.depth--;
  if (scan.inString || scan.depth > 0) return undefined;
  scan.place = "afterValue";
  return "end";
}

/** In a list, what follows a value is a comma or the end. */
function afterValue(scan: Scan, code: number): ScanEvent {
  if (!scan.inList || isBlank(code)) return undefined;
  if (code === comma) scan.place = "afterComma";
  else if (code === closeList) {
    scan.inList = false;
    scan.place = "after";
  } else return "stray";
  return undefined;
}

/** Bounds what one value takes before it is parsed: `pending` is what is there of it. */
function valueBound(name: string) {
  let watch: ((piece: string) => boolean) | undefined;
  return {
    next() {
      watch = undefined;
    },
    /** @param added the end of it, which was not there before */
    check(line: number, pending: string, added: string) {
      const refuse = (problem: string) => new InputError(`${name} line ${line}`, problem);
      if (pending.length > maxDocumentLength) {
        throw refuse(`is longer than ${maxDocumentLength} characters; cut it into documents`);
      }
      if (pending.length <= harmlessJsonLength) return;
      const first = watch === undefined;
      watch ??= jsonPartsWatch();
      if (watch(first ? pending : added)) throw refuse(`${tooManyParts}: no document does`);
    },
  };
}
