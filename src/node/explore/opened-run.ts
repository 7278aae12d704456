import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { InputError } from "../../errors.js";
import { wholeFile } from "../../tensor/byte-source.js";
import { parseStrictJson } from "../../tensor/strict-json.js";
import { openFileSource } from "../files/file-source.js";

const maxRecordBytes = 2 ** 26;

/** What of a run's record says how to open it again: that of every kind has its model, most have a text. */
const recordSchema = z.object({
  schema: z.literal("unembed-run"),
  model: z.object({ name: z.string().min(1) }),
  corpus: z
    .object({
      files: z.array(z.object({ name: z.string() })).optional(),
      fit: z.array(z.object({ name: z.string() })).optional(),
      contexts: z.union([z.number().int().positive(), z.object({ fit: z.number().int().positive() })]).optional(),
    })
    .optional(),
  texts: z.object({ fit: z.object({ files: z.array(z.object({ name: z.string() })) }) }).optional(),
});

/** What a finished run was made of. */
export interface RunInputs {
  readonly model: string;
  readonly files: readonly string[];
  readonly tokens: number | undefined;
  readonly plan: Uint8Array<ArrayBuffer> | undefined;
}

/** @throws InputError if the folder holds no run */
export async function readRunInputs(folder: string): Promise<RunInputs> {
  const path = join(folder, "run.json");
  const source = await openFileSource(path);
  const parsed = recordSchema.safeParse(parseStrictJson(path, "run", await wholeFile(source, maxRecordBytes)));
  if (!parsed.success) {
    const { path: field, message } = parsed.error.issues[0]!;
    throw new InputError(path, `field ${field.join(".") || "(all)"}: ${message}`);
  }
  const { model, corpus, texts } = parsed.data;
  const files = (corpus?.files ?? corpus?.fit ?? texts?.fit.files ?? []).map(({ name }) => name);
  const contexts = corpus?.contexts;
  const plan = await readFile(join(folder, "unembed.json")).catch(() => undefined);
  return {
    model: model.name,
    files,
    tokens: typeof contexts === "object" ? contexts.fit : contexts,
    plan: plan && Uint8Array.from(plan),
  };
}
