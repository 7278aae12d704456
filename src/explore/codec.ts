import { InputError } from "../errors.js";

/** Number arrays as they travel, by the name they have in JSON. */
const arrays = { u8: Uint8Array, i32: Int32Array, f32: Float32Array, f64: Float64Array } as const;
type ArrayName = keyof typeof arrays;

/** Field that marks what JSON has no form for; no message has one of its own. */
const mark = "$";
/** `String.fromCharCode` takes its characters as arguments, whose number engines bound. */
const chunk = 8192;
/** Levels of a message. */
const maxDepth = 24;

/**
 * A message or an action as JSON: number arrays in base64 of their little-endian bytes, and what is not finite by name.
 * @throws InputError if it holds a file: a page that is served reads its bytes first
 */
export function encodeMessage(value: unknown): string {
  return JSON.stringify(value, function replace(this: unknown, _key, item: unknown) {
    if (typeof item === "number" && !Number.isFinite(item)) return { [mark]: "number", value: String(item) };
    if (ArrayBuffer.isView(item)) return packed(item);
    if (typeof Blob !== "undefined" && item instanceof Blob)
      throw new InputError("action", "holds a file that was not read");
    return item;
  });
}

/** @throws InputError if it is no JSON, or an array in it is none */
export function decodeMessage(text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError("message", "is no JSON", { cause: error });
  }
  return restored(json, 0);
}

function packed(view: ArrayBufferView): Record<string, string> {
  const name = (Object.keys(arrays) as ArrayName[]).find((one) => view instanceof arrays[one]);
  if (name === undefined) throw new InputError("message", "holds an array of a kind that does not travel");
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let binary = "";
  for (let at = 0; at < bytes.length; at += chunk) binary += String.fromCharCode(...bytes.subarray(at, at + chunk));
  return { [mark]: name, value: btoa(binary) };
}

function restored(value: unknown, depth: number): unknown {
  if (depth > maxDepth) throw new InputError("message", "is nested too deep");
  if (Array.isArray(value)) return value.map((item) => restored(item, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  if (mark in value) return unpacked(value as Record<string, unknown>);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restored(item, depth + 1)]));
}

function unpacked({ [mark]: name, value }: Record<string, unknown>): unknown {
  if (typeof value !== "string" || typeof name !== "string")
    throw new InputError("message", "holds an array that is none");
  if (name === "number") return Number(value);
  if (!Object.hasOwn(arrays, name)) throw new InputError("message", `holds an array of unknown kind`);
  let binary: string;
  try {
    binary = atob(value);
  } catch (error) {
    throw new InputError("message", "holds an array that is not base64", { cause: error });
  }
  const kind = arrays[name as ArrayName];
  if (binary.length % kind.BYTES_PER_ELEMENT !== 0)
    throw new InputError("message", "holds an array that ends too soon");
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return new kind(bytes.buffer);
}
