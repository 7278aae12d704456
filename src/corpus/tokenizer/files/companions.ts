import * as z from "zod";
import { InputError } from "../../../errors.js";
import type { Folder } from "../../../tensor/byte-source.js";
import { type AddedToken, addedTokenFields, plainToken, withDefaults } from "./added-token.js";
import { readObject } from "./read-json.js";

type Fields = Record<string, unknown>;

/** What the files beside a tokenizer say about it. */
export interface Companions {
  /** tokenizer_config.json, with what special_tokens_map.json says where that one lists no added tokens. */
  readonly config: Readonly<Fields>;
  /** config.json of the model. */
  readonly model: Readonly<Fields>;
  /** Tokens that they add, or whose flags they change, in the order in which transformers adds them. */
  addedTo(own: readonly AddedToken[]): AddedToken[];
}

/** Roles that a token can have in every tokenizer. */
const roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/**
 * Reads added_tokens.json, tokenizer_config.json and special_tokens_map.json as transformers does: `added_tokens_decoder` of the
 * second makes the other two superfluous.
 * @param defaults what its class says where tokenizer_config.json doesn't
 * @throws InputError naming the file and the field
 */
export async function readCompanions(folder: Folder, defaults: Fields = {}): Promise<Companions> {
  const own = { ...defaults, ...(await readObject(folder, "tokenizer_config.json")) };
  const place = `${folder.name}/tokenizer_config.json`;
  const model = await readObject(folder, "config.json");
  if (own.added_tokens_decoder !== undefined) {
    const listed = tokensById(place, own.added_tokens_decoder);
    return { config: own, model, addedTo: (tokens) => [...listed, ...specials(place, own, listed, tokens, false)] };
  }
  const config = { ...own, ...(await readObject(folder, "special_tokens_map.json")) };
  const byText = await readObject(folder, "added_tokens.json");
  return {
    config,
    model,
    addedTo(tokens) {
      const named = new Set(roles.concat("").map((role) => contentOf(config[role])));
      for (const token of extras(place, config)) named.add(token.content);
      const listed = Object.entries(byText)
        .map(([content, id]) => ({ content, id: checkedId(`${folder.name}/added_tokens.json`, content, id) }))
        .sort((a, b) => a.id - b.id)
        .map(({ content }) => plainToken(content, named.has(content)));
      return [...listed, ...specials(place, config, listed, tokens, true)];
    },
  };
}

const idsShape = z.record(z.string().regex(/^\d+$/), addedTokenFields);

function tokensById(place: string, value: unknown): AddedToken[] {
  const result = idsShape.safeParse(value);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new InputError(place, `field "${["added_tokens_decoder", ...path].join(".")}" cannot be used: ${message}`);
  }
  return Object.entries(result.data)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, fields]) => withDefaults(fields));
}

function checkedId(place: string, content: string, id: unknown): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0) return id;
  throw new InputError(place, `field ${JSON.stringify(content.slice(0, 40))} is no id`);
}

/** The tokens that have a role, and those listed as special. */
function specials(
  place: string,
  config: Readonly<Fields>,
  listed: readonly AddedToken[],
  own: readonly AddedToken[],
  ownCount: boolean,
): AddedToken[] {
  const known = new Map([...listed, ...(ownCount ? own : [])].map((token) => [token.content, token]));
  const named = Object.keys(config)
    .filter((key) => roles.includes(key) || (key.endsWith("_token") && typeof config[key] === "string"))
    .map((key) => tokenOf(place, key, config[key]))
    .filter((token) => token !== undefined);
  return [...named.map((token) => known.get(token.content) ?? token), ...extras(place, config)].map((token) => ({
    ...token,
    special: true,
  }));
}

function extras(place: string, config: Readonly<Fields>): AddedToken[] {
  const field = ["extra_special_tokens", "additional_special_tokens"].find((field) => present(config[field]));
  if (field === undefined) return [];
  const value = config[field];
  const tokens = Array.isArray(value) ? value : typeof value === "object" ? Object.values(value as object) : [];
  return tokens
    .map((token, index) => tokenOf(place, `${field}.${index}`, token))
    .filter((token) => token !== undefined);
}

const present = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (!Array.isArray(value) || value.length > 0);

/** A special token, given as its text or with its flags; undefined for null. */
function tokenOf(place: string, field: string, value: unknown): AddedToken | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return plainToken(value, true);
  const result = addedTokenFields.safeParse(value);
  if (!result.success) throw new InputError(place, `field "${field}" is neither a token's text nor a token`);
  return withDefaults(result.data);
}

/** The text of a special token, given as such or with its flags. */
export function contentOf(value: unknown): string | undefined {
  const content = typeof value === "object" && value !== null && "content" in value ? value.content : value;
  return typeof content === "string" ? content : undefined;
}
