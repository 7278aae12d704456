import { InputError } from "../../errors.js";
import type { Document } from "../corpus.js";
import { type JsonText, jsonLines, jsonValues } from "./json-values.js";

/**
 * The documents of a .jsonl or .ndjson file: one JSON value a line, a string or an object with the text in `field`. Where that
 * is null, there is no document.
 * @throws InputError naming the line
 */
export function jsonLinesDocuments(name: string, text: AsyncIterable<string>, field: string): AsyncGenerator<Document> {
  return documents(name, jsonLines(name, text), field);
}

/**
 * The documents of a .json file: a list of strings or objects, or such values one after the other.
 * @throws InputError naming the line on which the bad value begins
 */
export function jsonDocuments(name: string, text: AsyncIterable<string>, field: string): AsyncGenerator<Document> {
  return documents(name, jsonValues(name, text), field);
}

async function* documents(name: string, values: AsyncIterable<JsonText>, field: string): AsyncGenerator<Document> {
  for await (const { json, line } of values) {
    const place = `${name} line ${line}`;
    const text = textOf(place, json, field);
    if (text !== undefined) yield { name: place, separate: true, text: once(text) };
  }
}

/** @returns undefined if the field is null */
function textOf(place: string, json: string, field: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
    throw new InputError(place, `is not JSON: ${reason}`, { cause: error });
  }
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(place, "is neither a text nor an object with one");
  }
  if (!Object.hasOwn(value, field)) {
    const fields = Object.keys(value).slice(0, 8).map(shorten).join(", ");
    throw new InputError(place, `has no field ${shorten(field)}; its fields: ${fields || "none"}`);
  }
  const text: unknown = (value as Record<string, unknown>)[field];
  if (typeof text === "string" || text === null) return text ?? undefined;
  throw new InputError(place, `field ${shorten(field)} is ${shorten(text)} where a text is wanted`);
}

function shorten(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 40 ? `${json.slice(0, 37)}...` : json;
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
