import { jsonTokens } from "./json-tokens.js";

/**
 * A JSON object's own text with some of its fields set and everything else as it was: written anew, 30.0 would become
 * 30, which transformers refuses. @param text valid JSON of an object without duplicate fields
 */
export function withFields(text: string, fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields).reduce(
    (changed, [name, value]) => withField(changed, name, JSON.stringify(value)),
    text,
  );
}

/** The own text of an object that is one of its fields; undefined if there is no such object. */
export function nestedText(text: string, field: string): string | undefined {
  const place = valuePlace(text, field);
  return place && text[place.start] === "{" ? text.slice(place.start, place.end) : undefined;
}

/** Sets fields of an object that is one of its fields; the text as it is if there is no such object. */
export function withNestedFields(text: string, outer: string, fields: Readonly<Record<string, unknown>>): string {
  const place = valuePlace(text, outer);
  if (place === undefined || text[place.start] !== "{") return text;
  return text.slice(0, place.start) + withFields(text.slice(place.start, place.end), fields) + text.slice(place.end);
}

function withField(text: string, name: string, value: string): string {
  const place = valuePlace(text, name);
  if (place !== undefined) return text.slice(0, place.start) + value + text.slice(place.end);
  const first = text.indexOf("{") + 1;
  const comma = /^\s*\}/.test(text.slice(first)) ? "" : ",";
  return `${text.slice(0, first)}\n  ${JSON.stringify(name)}: ${value}${comma}${text.slice(first)}`;
}

/** Where the value of an outermost field starts and ends. */
function valuePlace(text: string, name: string): { start: number; end: number } | undefined {
  let depth = 0;
  let key: string | undefined;
  let start: number | undefined;
  let end = 0;
  for (const { token, index } of jsonTokens(text)) {
    const endsField = depth === 1 && (token === "," || token === "}");
    if (endsField && start !== undefined) return { start, end };
    if (endsField) key = undefined;
    else if (depth === 1 && key === undefined) key = JSON.parse(token) as string;
    else if (depth === 1 && key === name && token !== ":") start ??= index;
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
    end = index + token.length;
  }
  return undefined;
}
