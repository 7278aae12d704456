import { createHash } from "node:crypto";
import type { Corpus } from "../../../corpus/corpus.js";
import type { Tokenizer } from "../../../corpus/tokenizer/tokenizer.js";
import { tokenizerHash } from "../../../corpus/tokenizer/tokenizer-hash.js";
import { idsWithin, windowCount, windowedTokens } from "../../../corpus/tokens/stored-windows.js";
import { tokenIds } from "../../../corpus/tokens/token-ids.js";
import { InputError } from "../../../errors.js";
import { type BeginOfText, beginOfWindows } from "../../../model/contexts/begin-of-text.js";
import type { Folder } from "../../../tensor/byte-source.js";
import { writeNpy } from "../../../tensor/npy.js";
import { type StagedFolder, stageFolder } from "../../files/write-atomic.js";
import { version } from "../../version.js";
import { manifestFile, manifestText, type TokenManifest } from "./manifest.js";

/** Ids in a shard: 67 MB of uint16, which are held until it is written. */
const idsPerShard = 2 ** 25;
/** Ids below this are stored in two bytes. */
const shortIds = 2 ** 16;
const defaultContextLength = 256;

/** How a text is cut into documents and windows, and how much of it is taken. */
export interface TokenizeOptions {
  /** Tokens per window. Default 256. */
  contextLength?: number | undefined;
  /** Stop after this many tokens, those that begin windows among them. Default: at the end of the text. */
  tokens?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the tokenizer does it. */
  beginOfText?: BeginOfText | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  separator?: number | null | undefined;
  /** Ids in one shard. Default 2^25. */
  shardIds?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told how many ids there are so far. */
  onProgress?: ((ids: number) => void) | undefined;
}

/**
 * Writes the token ids of a text into a folder once, for runs that begin anywhere in it: numbered `.npy` shards and
 * `manifest.json` (docs/cluster.md). All or nothing.
 * @param model whose tokenizer it is: its name and its folder
 * @throws InputError if the text or the tokenizer cannot be used, or the folder cannot be written
 */
export async function writeTokenFolder(
  out: string,
  corpus: Corpus,
  model: { readonly name: string; readonly folder: Folder },
  tokenizer: Tokenizer,
  options: TokenizeOptions = {},
): Promise<TokenManifest> {
  const { contextLength = defaultContextLength, tokens, separator, signal } = options;
  const begin = await beginOfWindows(model, tokenizer, corpus, options.beginOfText);
  const shape = { contextLength, beginOfText: begin.ids };
  if (begin.ids.length >= contextLength) {
    throw new InputError("contextLength", `is ${contextLength}; at least ${begin.ids.length + 1} is wanted`);
  }
  const dtype = tokenizer.vocabSize <= shortIds ? "uint16" : "uint32";
  const stage = await stageFolder(out);
  try {
    const ids = tokenIds(begin.corpus, tokenizer, { vocabSize: tokenizer.vocabSize, separator });
    const limit = tokens === undefined ? Number.POSITIVE_INFINITY : idsWithin(tokens, shape);
    const shards = await writeShards(stage, limited(ids, limit, signal), dtype, options);
    const count = shards.reduce((sum, shard) => sum + shard.ids, 0);
    if (count < 2)
      throw new InputError("corpus", `has ${count === 1 ? "1 token" : "no tokens"}; at least two are needed`);
    const stored = { count, contextLength, beginOfText: begin.ids };
    const manifest = {
      unembed: version,
      model: model.name,
      tokenizer: { sha256: await tokenizerHash(model.folder), vocabSize: tokenizer.vocabSize },
      corpus: corpus.files,
      separator: separator === undefined ? ("auto" as const) : separator,
      contextLength,
      beginOfText: [...begin.ids],
      counts: { ids: count, tokens: windowedTokens(stored), windows: windowCount(stored, shape) },
      dtype,
      shards,
    } satisfies Omit<TokenManifest, "schema" | "schemaVersion">;
    await stage.add([[manifestFile, manifestText(manifest)]]);
    await stage.commit();
    return { schema: "unembed-tokens", schemaVersion: 1, ...manifest };
  } catch (error) {
    await stage.discard();
    throw error;
  }
}

/** Ids up to so many. */
async function* limited(ids: AsyncIterable<ArrayLike<number>>, limit: number, signal: AbortSignal | undefined) {
  let left = limit;
  for await (const part of ids) {
    signal?.throwIfAborted();
    yield part.length <= left ? part : Array.from(part).slice(0, left);
    left -= part.length;
    if (left <= 0) return;
  }
}

async function writeShards(
  stage: StagedFolder,
  ids: AsyncIterable<ArrayLike<number>>,
  dtype: TokenManifest["dtype"],
  { shardIds = idsPerShard, onProgress }: TokenizeOptions,
): Promise<TokenManifest["shards"]> {
  const shards: TokenManifest["shards"] = [];
  const room = dtype === "uint16" ? new Uint16Array(shardIds) : new Uint32Array(shardIds);
  let filled = 0;
  let total = 0;
  const flush = async () => {
    const data = room.slice(0, filled);
    const bytes = writeNpy({ dtype: dtype === "uint16" ? "U16" : "U32", shape: [filled], data });
    const file = `tokens-${`${shards.length}`.padStart(5, "0")}.npy`;
    await stage.add([[file, bytes]]);
    shards.push({ file, ids: filled, sha256: createHash("sha256").update(bytes).digest("hex") });
    filled = 0;
  };
  for await (const part of ids) {
    for (let i = 0; i < part.length; i++) {
      room[filled++] = part[i]!;
      if (filled === shardIds) await flush();
    }
    total += part.length;
    onProgress?.(total);
  }
  if (filled > 0) await flush();
  return shards;
}
