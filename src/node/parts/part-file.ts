import { createHash } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import type { AnalyzedText } from "../../encoding/analysis.js";
import { InputError } from "../../errors.js";
import type { HeadStatistics } from "../../statistics/head-statistics.js";
import type { PartOfText } from "../../statistics/parts.js";
import { decodeStatistics, encodeStatistics, type StatisticsSizes } from "../../statistics/statistics-file.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { readSafetensorsHeader } from "../../tensor/safetensors/safetensors.js";
import { openFileSource } from "../files/file-source.js";
import { writeFileAtomic } from "../files/write-atomic.js";
import { version } from "../version.js";

/** Raised when the sums in a part mean something else. */
const partVersion = 1;
const maxParts = 1_000_000;

const whole = z.number().int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const identityShape = z.object({
  partVersion: whole,
  /** Of the program: other versions may compute other bits. */
  unembed: z.string(),
  /** `modelHash` of the model. */
  model: digest,
  /** That of the text's manifest. */
  corpus: digest,
  contextLength: whole.min(1),
  beginOfText: z.array(whole).max(16),
  /** The text ends after so many tokens; null for all of it. */
  tokens: whole.min(1).nullable(),
  /** Windows of the whole text. */
  windows: whole,
  parts: whole.min(1).max(maxParts),
});

/** What all parts of one analysis have in common; parts in which it differs are never added up. */
export type PartsIdentity = z.infer<typeof identityShape>;

const recordShape = z.object({
  identity: identityShape,
  part: whole.min(1).max(maxParts),
  /** As run.json shows the text. */
  text: z.object({
    files: z.array(z.object({ name: z.string(), bytes: whole })),
    contextLength: whole,
    beginOfText: z.boolean(),
  }),
});

/** What a part's file says of itself. */
export type PartRecord = z.infer<typeof recordShape>;

/** A part as it is read. */
export interface ReadPart {
  readonly record: PartRecord;
  readonly statistics: HeadStatistics;
}

/** Of this version, for a model and a text. */
export function partsIdentity(given: Omit<PartsIdentity, "partVersion" | "unembed">): PartsIdentity {
  return { partVersion, unembed: version, ...given };
}

/** Its name in the folder of parts: `part-0003-of-0064.safetensors`. */
export function partFileName({ part, parts }: PartOfText): string {
  const padded = (value: number) => `${value}`.padStart(4, "0");
  return `part-${padded(part)}-of-${padded(parts)}.safetensors`;
}

/** Whether a file of that name may be a part. */
export function isPartName(name: string): boolean {
  return /^[^.].*\.safetensors$/.test(name);
}

/** Writes a part into a folder of parts, whole or not at all. @throws InputError if it cannot be written */
export async function writePart(
  folder: string,
  record: PartRecord & { readonly text: AnalyzedText },
  statistics: HeadStatistics,
): Promise<string> {
  const { identity, part } = record;
  const path = join(folder, partFileName({ part, parts: identity.parts }));
  const text = JSON.stringify(record);
  const bytes = encodeStatistics(statistics, { part: text, sha256: checksum(text, statistics) });
  await writeFileAtomic(path, bytes);
  return path;
}

/**
 * What a part's file says of itself, before its sums are read.
 * @throws InputError if it is no part, or one of another version of unembed
 */
export async function readPartRecord(path: string): Promise<PartRecord> {
  const source = await openFileSource(path);
  const { metadata } = await readSafetensorsHeader(source);
  return parseRecord(source, metadata.part);
}

/**
 * A part with its sums.
 * @throws InputError if the file is no part of a head of these sizes, or not as it was written (cut short, overwritten)
 */
export async function readPart(path: string, sizes: StatisticsSizes): Promise<ReadPart> {
  const source = await openFileSource(path);
  const { statistics, metadata } = await decodeStatistics(source, sizes);
  const record = parseRecord(source, metadata.part);
  if (checksum(metadata.part!, statistics) !== metadata.sha256)
    throw new InputError(path, "its checksum does not fit its bytes: it is damaged, and has to be computed again");
  return { record, statistics };
}

function parseRecord(source: ByteSource, text: string | undefined): PartRecord {
  if (text === undefined) throw new InputError(source.name, "is no part of an analysis");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(source.name, 'metadata "part" is not JSON', { cause: error });
  }
  const result = recordShape.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new InputError(source.name, `metadata "part", field "${path.join(".")}" cannot be used: ${message}`);
}

/** Of what the part is of and of every sum in it. */
function checksum(record: string, statistics: HeadStatistics): string {
  return createHash("sha256").update(`${record}\n`).update(encodeStatistics(statistics, {})).digest("hex");
}
