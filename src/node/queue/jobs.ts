import * as z from "zod";
import { InputError } from "../../errors.js";
import { identityShape } from "../parts/part-file.js";

/** The queue that all workers take parts from, whichever run they are of. */
export const partsQueue = "unembed-parts";

/** The queue of a run's one job that waits for all its parts. */
export function mergeQueue(run: string): string {
  return `unembed-merge-${run}`;
}

/** What a worker is asked to do: compute one part of an analysis and write it into a folder that all share. */
const partJobShape = z.strictObject({
  kind: z.literal("part"),
  /** Hexadecimal digits of the run: of its identity. */
  run: z.string().regex(/^[0-9a-f]{16}$/),
  /** Folder, file or hub id. */
  model: z.string().min(1).max(4096),
  /** Folder of token ids. */
  corpus: z.string().min(1).max(4096),
  /** Folder that the part goes to. */
  parts: z.string().min(1).max(4096),
  part: z.number().int().min(1),
  identity: identityShape,
  /** How the identity was asked for. */
  how: z.strictObject({
    contextLength: z.number().int().min(1).optional(),
    tokens: z.number().int().min(1).optional(),
    beginOfText: z.enum(["auto", "always", "never"]),
  }),
});

export type PartJob = z.infer<typeof partJobShape>;

/** @throws InputError naming the field: whoever can write to the queue can put anything into it */
export function parsePartJob(id: string, data: unknown): PartJob {
  const result = partJobShape.safeParse(data);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new InputError(`job ${id.slice(0, 60)}`, `field "${path.join(".")}" cannot be used: ${message}`.slice(0, 300));
}

/** Id of the job of a part: the same for every coordinator of a run, so that a part is in the queue once. */
export function partJobId({ run, part }: Pick<PartJob, "run" | "part">): string {
  return `${run}-${part}`;
}

/** How far a worker is with a part. */
export const partProgressShape = z.object({ contexts: z.number().nonnegative() });
