import { InputError } from "../errors.js";
import { type ByteSource, wholeFile } from "../tensor/byte-source.js";
import type { OnNotice } from "../tensor/checkpoint-tensors.js";
import { parseStrictJson, shown } from "../tensor/strict-json.js";

/** Larger than any real config.json; a bound on what is parsed. */
const maxConfigBytes = 16 * 2 ** 20;

/** Bounds of positive numbers: wider than any real model's, narrow enough that products of a few stay float32. */
const [minPositive, maxPositive] = [1e-15, 1e15];

/**
 * Typed access to one JSON object of a config file. Each reader checks its field and, when it is absent or null, gives the
 * fallback; without a fallback the field is required. Errors name the file and the field.
 */
export interface Config {
  readonly place: string;
  /** Whether the field is there and not null. */
  has(field: string): boolean;
  /** Whether the field is there and null: for fields in which that means "none", not "the default". */
  isNull(field: string): boolean;
  /** Names of the fields that are there. */
  fields(): string[];
  integer(field: string, fallback?: number): number;
  number(field: string, fallback?: number): number;
  /** A number above zero, from 1e-15 to 1e15. */
  positive(field: string, fallback?: number): number;
  boolean(field: string, fallback?: boolean): boolean;
  string(field: string, fallback?: string): string;
  /** The field's string, which must be one of the choices. */
  choice<Choice extends string>(field: string, choices: readonly Choice[], fallback?: Choice): Choice;
  /** A list of numbers. */
  numbers(field: string): number[];
  /** A list of strings. */
  strings(field: string): string[];
  /** The field as parsed, for forms that no other reader has: the caller checks it. */
  unknown(field: string): unknown;
  /** A nested object; undefined if absent or null. */
  object(field: string): Config | undefined;
  /** The same object with other values in some of its fields. */
  with(fields: Readonly<Record<string, unknown>>): Config;
  /** @throws InputError if the field is there with a value other than this one: it would change the arithmetic. */
  mustBe(field: string, value: boolean | number | string): void;
  fail(field: string, problem: string): never;
  /** Tells of a field that is passed over. */
  notice(field: string, what: string): void;
}

/** Reads a JSON object from a file. @throws InputError if it is not one, or has a field twice */
export async function readConfig(source: ByteSource, onNotice?: OnNotice): Promise<Config> {
  const value = parseStrictJson(source.name, "config", await wholeFile(source, maxConfigBytes));
  if (!isObject(value)) throw new InputError(source.name, "is not a JSON object");
  return config(source.name, value, "", onNotice);
}

/** The field's older name where the config has that, else its own. */
export function eitherField(config: Config, older: string, field: string): string {
  return config.has(older) ? older : field;
}

/** Typed access to an object that was parsed already; `prefix` is its path inside the file. */
export function config(
  place: string,
  fields: Readonly<Record<string, unknown>>,
  prefix = "",
  onNotice?: OnNotice,
): Config {
  const get = (field: string): unknown => (Object.hasOwn(fields, field) ? (fields[field] ?? undefined) : undefined);
  const fail = (field: string, problem: string): never => {
    throw new InputError(place, `field "${prefix}${field}" ${problem}`);
  };
  function read<T>(field: string, wanted: string, accepts: (value: unknown) => value is T, fallback?: T): T {
    const value = get(field);
    if (value === undefined) return fallback !== undefined ? fallback : fail(field, "is missing");
    return accepts(value) ? value : fail(field, `is ${shown(value)}; ${wanted} is wanted`);
  }
  return {
    place,
    fail,
    notice: (field, what) => onNotice?.(`${place}: field "${prefix}${field}" ${what}`),
    has: (field) => get(field) !== undefined,
    isNull: (field) => Object.hasOwn(fields, field) && fields[field] === null,
    fields: () => Object.keys(fields).filter((field) => get(field) !== undefined),
    integer: (field, fallback) => read(field, "a positive integer", isPositiveInteger, fallback),
    number: (field, fallback) => read(field, "a number", isNumber, fallback),
    positive: (field, fallback) =>
      read(field, `a number from ${minPositive} to ${maxPositive}`, isPositiveNumber, fallback),
    boolean: (field, fallback) => read(field, "true or false", isBoolean, fallback),
    string: (field, fallback) => read(field, "a string", isString, fallback),
    choice: <Choice extends string>(field: string, choices: readonly Choice[], fallback?: Choice) =>
      read(
        field,
        `one of ${choices.join(", ")}`,
        (value): value is Choice => choices.includes(value as Choice),
        fallback,
      ),
    numbers: (field) => read(field, "a list of numbers", (value) => isList(value, isNumber)),
    strings: (field) => read(field, "a list of strings", (value) => isList(value, isString)),
    unknown: get,
    object(field) {
      if (get(field) === undefined) return undefined;
      return config(place, read(field, "an object", isObject), `${prefix}${field}.`, onNotice);
    },
    with: (others) => config(place, { ...fields, ...others }, prefix, onNotice),
    mustBe(field, value) {
      const found = get(field);
      if (found !== undefined && found !== value) fail(field, `is ${shown(found)}; only ${shown(value)} is supported`);
    },
  };
}

const isPositiveInteger = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isPositiveNumber = (value: unknown): value is number =>
  isNumber(value) && value >= minPositive && value <= maxPositive;
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isString = (value: unknown): value is string => typeof value === "string";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
function isList<T>(value: unknown, accepts: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(accepts);
}
