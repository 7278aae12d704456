import { jsonTokens } from "./json-tokens.js";

/** Where something stands in a JSON text: names of fields, places in lists. */
export type JsonPath = readonly (string | number)[];

/** What may be changed in a JSON text. */
export interface JsonChanges {
  /** @returns the number that takes its place */
  readonly number?: ((value: number, path: JsonPath) => number) | undefined;
  /** @param path of the object that has the field @returns the name that takes its place */
  readonly name?: ((name: string, path: JsonPath) => string) | undefined;
}

/**
 * A JSON text with some whole numbers and names changed and everything else as it was: written anew, 30.0 would become 30, and
 * 1000000000000000019884624838656 lose its digits. @param text valid JSON without duplicate fields
 */
export function withNumbers(text: string, { number, name }: JsonChanges): string {
  const path: (string | number)[] = [];
  const inside: ("object" | "list")[] = [];
  const parts: string[] = [];
  let copied = 0;
  let wantsName = false;
  for (const { token, index } of jsonTokens(text)) {
    const replace = (by: string) => {
      parts.push(text.slice(copied, index), by);
      copied = index + token.length;
    };
    if (token === "{" || token === "[") {
      inside.push(token === "{" ? "object" : "list");
      path.push(token === "{" ? "" : 0);
      wantsName = token === "{";
    } else if (token === "}" || token === "]") {
      inside.pop();
      path.pop();
      wantsName = false;
    } else if (token === ",") {
      wantsName = inside.at(-1) === "object";
      if (!wantsName) path[path.length - 1] = (path.at(-1) as number) + 1;
    } else if (wantsName && token !== ":") {
      const own = JSON.parse(token) as string;
      path[path.length - 1] = own;
      wantsName = false;
      const other = name?.(own, path.slice(0, -1)) ?? own;
      if (other !== own) replace(JSON.stringify(other));
    } else if (/^-?\d+$/.test(token)) {
      const value = Number(token);
      const other = Number.isSafeInteger(value) ? (number?.(value, path) ?? value) : value;
      if (other !== value) replace(String(other));
    }
  }
  return parts.join("") + text.slice(copied);
}
