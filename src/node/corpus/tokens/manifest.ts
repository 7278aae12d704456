import { createHash } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { InputError } from "../../../errors.js";
import { parseStrictJson, shown } from "../../../tensor/strict-json.js";
import { fileError } from "../../files/file-source.js";

/** In a folder of token ids, what says of which text, tokenizer and windows they are. */
export const manifestFile = "manifest.json";

const schema = "unembed-tokens";
/** Raised when a field changes its meaning or goes. */
const schemaVersion = 1;
/** A shard is 67 MB or more; so many describe more text than there is. */
const maxManifestBytes = 2 ** 26;

const whole = z.number().int().nonnegative();
const sha256 = z.string().regex(/^(?:[0-9a-f]{64}|none)$/);

const manifestShape = z.object({
  schema: z.literal(schema),
  schemaVersion: z.literal(schemaVersion),
  unembed: z.string(),
  /** The model whose tokenizer it is, as it was given. */
  model: z.string(),
  tokenizer: z.object({ sha256, vocabSize: whole }),
  /** The text's own files. */
  corpus: z.array(z.object({ name: z.string(), bytes: whole })),
  /** Id between documents as it was asked for: null for none, "auto" for end-of-text between those of one file. */
  separator: z.union([whole, z.null(), z.literal("auto")]),
  /** Tokens per window, those that begin it among them. */
  contextLength: whole.min(1),
  /** Ids that begin every window. They are not in the shards. */
  beginOfText: z.array(whole).max(16),
  counts: z.object({
    /** Ids in the shards. */
    ids: whole,
    /** Tokens in windows: the ids, and those that begin windows. */
    tokens: whole,
    windows: whole,
  }),
  dtype: z.enum(["uint16", "uint32"]),
  shards: z.array(z.object({ file: z.string().regex(/^tokens-\d{5,}\.npy$/), ids: whole.min(1), sha256 })),
});

/** What a folder of token ids says of itself. */
export type TokenManifest = z.infer<typeof manifestShape>;

/** A manifest as the text of its file. */
export function manifestText(manifest: Omit<TokenManifest, "schema" | "schemaVersion">): string {
  return `${JSON.stringify({ schema, schemaVersion, ...manifest }, undefined, 1)}\n`;
}

/**
 * The manifest of a folder that `unembed tokenize` wrote.
 * @returns undefined if the folder holds none; `sha256` is that of the file
 * @throws InputError naming the field that cannot be used
 */
export function readManifest(folder: string): { manifest: TokenManifest; sha256: string } | undefined {
  const place = join(folder, manifestFile);
  const info = fileInfo(place);
  if (info === undefined) return undefined;
  if (info.size > maxManifestBytes) throw new InputError(place, `is ${info.size} bytes, above ${maxManifestBytes}`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(place);
  } catch (error) {
    throw fileError(place, error);
  }
  const value = parseStrictJson(place, "the file", bytes);
  // Other programs' folders have manifests too.
  if (typeof value !== "object" || value === null || (value as { schema?: unknown }).schema !== schema)
    return undefined;
  return { manifest: checked(place, value), sha256: createHash("sha256").update(bytes).digest("hex") };
}

function fileInfo(path: string): Stats | undefined {
  try {
    const info = statSync(path);
    return info.isFile() ? info : undefined;
  } catch {
    // No file of that name: the folder is another, or no folder at all, which is said where it is read.
    return undefined;
  }
}

function checked(place: string, value: unknown): TokenManifest {
  const version = (value as { schemaVersion?: unknown }).schemaVersion;
  if (version !== schemaVersion) {
    throw new InputError(
      place,
      `field "schemaVersion" is ${shown(version)}; this version of unembed reads ${schemaVersion}`,
    );
  }
  const result = manifestShape.safeParse(value);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new InputError(place, `field "${path.join(".")}" cannot be used: ${message}`);
  }
  const { shards, counts, contextLength, beginOfText } = result.data;
  const ids = shards.reduce((sum, shard) => sum + shard.ids, 0);
  if (ids !== counts.ids) throw new InputError(place, `field "counts.ids" is ${counts.ids}; its shards have ${ids}`);
  if (beginOfText.length >= contextLength) throw new InputError(place, 'field "beginOfText" fills the whole window');
  return result.data;
}
