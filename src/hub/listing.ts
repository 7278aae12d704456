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
const pageSchema = z.array(entrySchema);
const commitSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** The commit that a branch or tag stands for now. @throws InputError if there is none, Unreachable */
export async function resolveCommit(connection: Connection, reference: HubReference): Promise<string> {
  const { name, revision, type } = reference;
  if (isCommit(revision)) return revision;
  const address = `${connection.endpoint}/api/${type}s/${name}/revision/${encodeURIComponent(revision)}?expand=sha`;
  const answer = await ask(connection, { reference, file: "" }, address);
  return parsed(connection, reference, commitSchema, answer?.json).sha;
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
  const { name, type } = reference;
  const path = folder === "" ? "" : `/${encodePath(folder)}`;
  const files = new Map<string, HubEntry>();
  let next: string | undefined =
    `${connection.endpoint}/api/${type}s/${name}/tree/${commit}${path}?recursive=${recursive}`;
  for (let page = 0; next !== undefined; page++) {
    if (page === maxPages) {
      const host = new URL(connection.endpoint).host;
      throw new InputError(referenceText(reference), `${host} lists over ${maxPages} pages of files`);
    }
    const answer: ApiAnswer | undefined = await ask(connection, { reference, file: folder }, next);
    if (answer === undefined) return files;
    for (const entry of parsed(connection, reference, pageSchema, answer.json)) {
      if (entry.type !== "file") continue;
      if (files.size === maxEntries) throw new InputError(referenceText(reference), `has over ${maxEntries} files`);
      files.set(entry.path, {
        path: entry.path,
        size: entry.lfs?.size ?? entry.size,
        digest: entry.lfs ? { algorithm: "sha256", hex: entry.lfs.oid } : { algorithm: "git-sha1", hex: entry.oid },
      });
    }
    next = nextPage(answer.headers);
  }
  return files;
}

/** Address of a file's bytes. */
export function fileAddress({ endpoint }: Connection, reference: HubReference, commit: string, path: string): string {
  const kind = reference.type === "dataset" ? "datasets/" : "";
  return `${endpoint}/${kind}${reference.name}/resolve/${commit}/${encodePath(path)}`;
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

interface ApiAnswer {
  readonly json: unknown;
  readonly headers: Headers;
}

/** What the hub's interface answers; undefined where it has no such folder. */
async function ask(connection: Connection, subject: HubSubject, address: string): Promise<ApiAnswer | undefined> {
  const place = referenceText(subject.reference);
  return withRetries(place, connection.retry, connection.signal, async () => {
    const answer = await exchange(connection, place, address, { accept: "application/json" });
    if (answer.status === 200) {
      const bytes = await readAnswer(place, answer);
      return { json: parsedJson(connection, subject.reference, bytes), headers: answer.headers };
    }
    if (subject.file !== "" && answer.headers.get("x-error-code") === "EntryNotFound") {
      answer.close();
      return undefined;
    }
    throw statusError(connection, answer, subject);
  });
}

/** Address of the page after this one (RFC 8288), wherever it points: the token is sent to the endpoint alone. */
function nextPage(headers: Headers): string | undefined {
  return /<(https?:[^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1];
}

function parsedJson(connection: Connection, reference: HubReference, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
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
