import { InputError } from "../../errors.js";
import { parsePythonJson } from "../../tensor/python-json.js";
import { shown } from "../../tensor/strict-json.js";
import type { ChatMessage, Document } from "../corpus.js";
import { type JsonText, jsonLines, jsonValues } from "./json-values.js";

/**
 * The documents of a .jsonl or .ndjson file: one JSON value a line, a string or an object with the text in `field`, which may
 * be a path (`meta.text`). Where that is null, there is no document.
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
    const found = contentOf(place, json, field);
    if (typeof found === "string") yield { name: place, separate: true, text: once(found) };
    else if (found !== undefined) yield { name: place, messages: found };
  }
}

/** A text or a conversation; undefined if the field is null. */
function contentOf(place: string, json: string, field: string): string | readonly ChatMessage[] | undefined {
  let value: unknown;
  try {
    value = parsePythonJson(json);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
    throw new InputError(place, `is not JSON: ${reason}`, { cause: error });
  }
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(place, "is neither a text nor an object with one");
  }
  const isChat =
    !Object.hasOwn(value, field) && field === usualField && chatField in value && Array.isArray(value[chatField]);
  const text = fieldAt(place, value, isChat ? chatField : field);
  if (Array.isArray(text) && (isChat || isMessage(text[0]))) {
    return text.map((message, index) => checkedMessage(place, message, isChat ? chatField : field, index));
  }
  if (typeof text === "string" || text === null) return text ?? undefined;
  throw new InputError(place, `field ${shorten(field)} is ${shorten(text)} where a text is wanted`);
}

/** Where a text is looked for, and a conversation if there is none. */
const usualField = "text";
const chatField = "messages";

function isMessage(value: unknown): value is ChatMessage {
  return typeof value === "object" && value !== null && "role" in value && typeof value.role === "string";
}

function checkedMessage(place: string, message: unknown, field: string, index: number): ChatMessage {
  if (isMessage(message)) return message;
  const where = `field ${shorten(`${field}.${index}`)}`;
  throw new InputError(place, `${where} is ${shorten(message)} where a message with its role is wanted`);
}

/** The field of that name or, where there is none, what a path of names leads to (`meta.text`); null where that ends at null. */
function fieldAt(place: string, value: object, field: string): unknown {
  if (Object.hasOwn(value, field)) return (value as Record<string, unknown>)[field];
  let reached: unknown = value;
  for (const [index, name] of field.split(".").entries()) {
    if (reached === null) return null;
    if (typeof reached !== "object" || !Object.hasOwn(reached, name)) {
      const path = field.split(".").slice(0, index).join(".");
      const fields = typeof reached === "object" ? Object.keys(reached).slice(0, 8).map(shorten).join(", ") : "";
      const where = path === "" ? "its fields" : `the fields of ${shorten(path)}`;
      throw new InputError(place, `has no field ${shorten(field)}; ${where}: ${fields || "none"}`);
    }
    reached = (reached as Record<string, unknown>)[name];
  }
  return reached;
}

const shorten = (value: unknown) => shown(value, 40);

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
