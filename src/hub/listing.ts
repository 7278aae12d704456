import * as z from "zod";
import { InputError } from "../errors.js";
import { type HubReference, referenceText } from "./reference.js";
import { type HubSubject, statusError } from "./transfer/answer-status.js";
import { type Connection, exchange, readAnswer } from "./transfer/exchange.js";
import { withRetries } from "./transfer/retry.js";

/** A file of a repository as its revision records it. */
export interface HubEntry {
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
}

/** SHA-256 of a large file, or the hash that git gives a small one; also its name in the cache. */
export interface Digest {
  readonly algorithm: "sha256" | "git-sha1";
  /** Lower case. */
  readonly hex: string;
}

/** More files than any model or data set that one would read whole. */
const maxEntries = 200_000;
const maxPages = 1000;

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().nonnegative(),
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() }).nullish(),
});
const commitSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** The commit that a branch or tag stands for now. @throws InputError if there is none, Unreachable */
export async function resolveCommit(connection: Connection, reference: HubReference): Promise<string> {
  const { name, revision, type } = reference;
  if (isCommit(revision)) return revision;
  // Loaded when needed: it is large, and most runs read a local folder.
  const { datasetInfo, modelInfo } = await import("@huggingface/hub");
  const asked = { name, revision, hubUrl: connection.endpoint, fetch: hubFetch(connection, { reference, file: "" }) };
  const info = await understood(connection, reference, () =>
    type === "model"
      ? modelInfo({ ...asked, additionalFields: ["sha"] })
      : datasetInfo({ ...asked, additionalFields: ["sha"] }),
  );
  return parsed(connection, reference, commitSchema, info).sha;
}

/**
 * The files in a folder of a repository, by path.
 * @param folder "" for the repository itself  @param recursive with those in its subfolders
 * @returns nothing if there is no such folder
 */
export async function listFolder(
  connection: Connection,
  reference: HubReference,
  commit: string,
  folder: string,
  recursive: boolean,
): Promise<Map<string, HubEntry>> {
  const { listFiles } = await import("@huggingface/hub");
  return understood(connection, reference, async () => {
    const files = new Map<string, HubEntry>();
    const listed = listFiles({
      repo: { type: reference.type, name: reference.name },
      revision: commit,
      path: encodePath(folder),
      recursive,
      hubUrl: connection.endpoint,
      fetch: hubFetch(connection, { reference, file: folder }),
    });
    for await (const value of listed) {
      const entry = parsed(connection, reference, entrySchema, value);
      if (entry.type !== "file") continue;
      if (files.size === maxEntries) throw new InputError(referenceText(reference), `has over ${maxEntries} files`);
      const { path, lfs } = entry;
      files.set(path, {
        path,
        size: lfs?.size ?? entry.size,
        digest: lfs ? { algorithm: "sha256", hex: lfs.oid } : { algorithm: "git-sha1", hex: entry.oid },
      });
    }
    return files;
  });
}

/** Address of a file's bytes. */
export function fileAddress({ endpoint }: Connection, reference: HubReference, commit: string, path: string): string {
  const kind = reference.type === "dataset" ? "datasets/" : "";
  return `${endpoint}/${kind}${reference.name}/resolve/${commit}/${encodePath(path)}`;
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/**
 * For the hub's client, whose own fetch does not retry, knows no bounds and sends the token wherever a `next` link
 * points: reads each answer whole, and answers an absent folder as an empty one.
 */
function hubFetch(connection: Connection, subject: HubSubject): typeof fetch {
  const place = referenceText(subject.reference);
  let pages = 0;
  return async (input) => {
    const address = input instanceof Request ? input.url : input;
    pages += 1;
    if (pages > maxPages) throw new InputError(place, `${new URL(address).host} lists over ${maxPages} pages of files`);
    return withRetries(place, connection.retry, connection.signal, async () => {
      const answer = await exchange(connection, place, address, { accept: "application/json" });
      if (answer.status === 200) return new Response(await readAnswer(place, answer), { headers: answer.headers });
      if (subject.file !== "" && answer.headers.get("x-error-code") === "EntryNotFound") {
        answer.close();
        return Response.json([]);
      }
      throw statusError(connection, answer, subject);
    });
  };
}

/** Says of whatever the client could not make sense of that the server's answer was the reason. */
async function understood<T>(connection: Connection, reference: HubReference, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    connection.signal?.throwIfAborted();
    if (error instanceof InputError) throw error;
    throw notUnderstood(connection, reference, error);
  }
}

function parsed<T>(connection: Connection, reference: HubReference, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (!result.success) throw notUnderstood(connection, reference, result.error);
  return result.data;
}

function notUnderstood({ endpoint }: Connection, reference: HubReference, cause: unknown): InputError {
  const problem = `${endpoint} does not answer as the Hugging Face hub does: check HF_ENDPOINT and the network`;
  return new InputError(referenceText(reference), problem, { cause });
}
