import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** Contents by path, or a folder to read them from. */
export type Files = string | Readonly<Record<string, string | Uint8Array>>;

export interface RepositoryOptions {
  /** Default: "model". */
  type?: "model" | "dataset";
  /** Needs this token: unknown without it if private, with its terms shown if gated. */
  private?: string;
  gated?: string;
  /** The name that it had before; requests for it are redirected. */
  formerName?: string;
}

/** What goes wrong with the next requests that it matches. */
export interface Fault {
  /** Which server. Default: both. */
  at?: "hub" | "cdn";
  /** Which paths. Default: all. */
  path?: RegExp;
  /** How often. Default: once. */
  times?: number;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** Close the connection after so many bytes of the body. */
  cutAfter?: number;
  /** Send nothing more after so many bytes of the body, and keep the connection open. */
  stallAfter?: number;
  ignoreRange?: boolean;
  /** Do not say how long the body is. */
  chunked?: boolean;
  /** Other bytes than the file's. */
  body?: string | Uint8Array;
}

export interface ServedRequest {
  readonly at: "hub" | "cdn";
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  status: number;
  /** Bytes of the body that were handed to the connection. */
  bodyBytes: number;
}

interface StoredFile {
  readonly bytes: Uint8Array;
  /** SHA-256 of a file in large-file storage, which the hub redirects to. */
  readonly sha256: string | undefined;
  readonly gitHash: string;
}

interface Repository extends RepositoryOptions {
  readonly revisions: Map<string, string>;
  readonly commits: Map<string, Map<string, StoredFile>>;
}

/** Entries of a listing that come in one answer, few enough for small tests to meet several. */
const pageSize = 5;

/** A hub on 127.0.0.1, with its storage behind a redirect to localhost: as much of it as reading needs. */
export interface HubServer {
  readonly endpoint: string;
  /** Every request so far, in order. */
  readonly requests: ServedRequest[];
  readonly faults: Fault[];
  /** Adds a revision to a repository. @returns its commit */
  add(name: string, revision: string, files: Files, options?: RepositoryOptions): Promise<string>;
  /** Bytes of bodies sent so far in answer to paths that match. */
  bytesSent(path: RegExp): number;
  close(): Promise<void>;
}

/** @param isLarge which files lie in large-file storage. Default: weights, and what has 10,000 bytes or more */
export async function startHubServer(
  isLarge = (path: string, size: number) => size >= 10_000 || /\.(?:safetensors|bin)$/.test(path),
): Promise<HubServer> {
  const repositories = new Map<string, Repository>();
  const requests: ServedRequest[] = [];
  const faults: Fault[] = [];
  const blobs = new Map<string, Uint8Array>();

  const serve = (at: "hub" | "cdn", answer: (request: IncomingMessage) => Answer) =>
    createServer((request, response) => {
      const path = request.url ?? "/";
      const { authorization, range } = request.headers;
      const served = { at, method: request.method ?? "", path, authorization, range, status: 0, bodyBytes: 0 };
      if (request.method === "OPTIONS") {
        const allowed = { "access-control-allow-origin": "*", "access-control-allow-headers": "authorization, range" };
        response.writeHead(204, allowed).end();
        return;
      }
      requests.push(served);
      const fault = takeFault(faults, at, path);
      const usual = fault?.status === undefined ? answer(request) : { status: fault.status, headers: {}, body: "" };
      send(usual, request, response, served, fault);
    });

  const cdn = serve("cdn", (request) => {
    const bytes = blobs.get(/^\/([0-9a-f]{64})\?signature=yes$/.exec(request.url ?? "")?.[1] ?? "");
    if (bytes === undefined) return { status: 403, headers: {}, body: "" };
    return { status: 200, headers: { "accept-ranges": "bytes" }, body: bytes };
  });
  const cdnAddress = await listen(cdn, "localhost");
  const hub = serve("hub", (request) => answerHub(request, repositories, endpoint, cdnAddress));
  const endpoint = await listen(hub, "127.0.0.1");

  return {
    endpoint,
    requests,
    faults,
    async add(name, revision, files, options = {}) {
      const key = `${options.type ?? "model"}s/${name}`;
      const repository = repositories.get(key) ?? { ...options, revisions: new Map(), commits: new Map() };
      repositories.set(key, repository);
      const stored = new Map<string, StoredFile>();
      for (const [path, bytes] of await readFiles(files)) {
        const sha256 = isLarge(path, bytes.byteLength) ? hash("sha256", bytes) : undefined;
        if (sha256 !== undefined) blobs.set(sha256, bytes);
        stored.set(path, { bytes, sha256, gitHash: hash("sha1", Buffer.from(`blob ${bytes.byteLength}\0`), bytes) });
      }
      const commit = hash(
        "sha1",
        Buffer.from(`${key} ${revision} ${[...stored].map(([path, { gitHash }]) => path + gitHash)}`),
      );
      repository.commits.set(commit, stored);
      repository.revisions.set(revision, commit);
      return commit;
    },
    bytesSent: (path) =>
      requests.filter((request) => path.test(request.path)).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0),
    async close() {
      for (const server of [hub, cdn]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

function refuse(status: number, code: string, message: string): Answer {
  const headers = { "x-error-code": code, "x-error-message": message, "content-type": "application/json" };
  return { status, headers, body: "{}" };
}

function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

function answerHub(
  request: IncomingMessage,
  repositories: ReadonlyMap<string, Repository>,
  endpoint: string,
  cdn: string,
): Answer {
  const url = new URL(request.url ?? "/", endpoint);
  const api = /^\/api\/(models|datasets)\/(.+?)\/(revision|tree)\/([^/]+)(?:\/(.*))?$/.exec(url.pathname);
  const file = /^\/(datasets\/)?((?:[^/]+\/)?[^/]+)\/(resolve)\/([^/]+)\/(.+)$/.exec(url.pathname);
  const [, kind = "models", name = "", action, revision = "", path = ""] = api ?? file ?? [];
  const type = kind.startsWith("datasets") ? "datasets" : "models";
  const renamed = [...repositories].find(([, { formerName }]) => formerName !== undefined && formerName === name)?.[0];
  if (renamed !== undefined) {
    const to = renamed.slice(`${type}/`.length);
    return { status: 307, headers: { location: request.url?.replace(name, to) ?? "" }, body: "Temporary Redirect" };
  }
  const repository = repositories.get(`${type}/${name}`);
  const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1];
  if (token === "invalid") return refuse(401, "", "Invalid credentials in Authorization header");
  if (repository === undefined || (repository.private !== undefined && token !== repository.private)) {
    return token === undefined ? refuse(401, "RepoNotFound", "") : refuse(404, "RepoNotFound", "Repository not found");
  }
  const wanted = decodeURIComponent(revision);
  const commit = repository.commits.has(wanted) ? wanted : repository.revisions.get(wanted);
  const files = repository.commits.get(commit ?? "");
  if (commit === undefined || files === undefined) return refuse(404, "RevisionNotFound", `Invalid rev id: ${wanted}`);
  if (action === "revision") return json({ _id: "1", id: name, sha: commit });
  if (action === "tree") return listTree(files, url, decodeURIComponent(path));
  if (repository.gated !== undefined && token !== repository.gated) {
    return refuse(token === undefined ? 401 : 403, "GatedRepo", "Access to this model is restricted.");
  }
  return sendFile(files.get(decodeURIComponent(path)), commit, cdn);
}

function listTree(files: ReadonlyMap<string, StoredFile>, url: URL, folder: string): Answer {
  const root = folder === "" ? "" : `${folder}/`;
  const entries = new Map<string, unknown>();
  for (const [path, { bytes, sha256, gitHash }] of files) {
    if (!path.startsWith(root)) continue;
    const inside = path.slice(root.length).split("/");
    if (inside.length > 1) {
      const directory = root + inside[0];
      entries.set(directory, { type: "directory", path: directory, size: 0, oid: gitHash });
      if (url.searchParams.get("recursive") !== "true") continue;
    }
    const size = bytes.byteLength;
    const lfs = sha256 === undefined ? {} : { lfs: { oid: sha256, size, pointerSize: 130 } };
    entries.set(path, { type: "file", path, size, oid: gitHash, ...lfs });
  }
  if (entries.size === 0 && folder !== "") return refuse(404, "EntryNotFound", `${folder} does not exist`);
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const page = [...entries.values()].slice(start, start + pageSize);
  const next = new URL(url);
  next.searchParams.set("cursor", `${start + pageSize}`);
  const link: Record<string, string> = start + pageSize < entries.size ? { link: `<${next.href}>; rel="next"` } : {};
  return json(page, link);
}

function sendFile(file: StoredFile | undefined, commit: string, cdn: string): Answer {
  if (file === undefined) return refuse(404, "EntryNotFound", "Entry not found");
  const { bytes, sha256, gitHash } = file;
  if (sha256 === undefined) {
    const headers = { "x-repo-commit": commit, etag: `"${gitHash}"`, "accept-ranges": "bytes" };
    return { status: 200, headers, body: bytes };
  }
  const linked = { "x-linked-etag": `"${sha256}"`, "x-linked-size": `${bytes.byteLength}` };
  const location = `${cdn}/${sha256}?signature=yes`;
  return { status: 302, headers: { "x-repo-commit": commit, ...linked, location }, body: "Found" };
}

/** Sends a body, as much of it as the request's range asks for and the fault lets through. */
function send(
  { status, headers, body: contents }: Answer,
  request: IncomingMessage,
  response: ServerResponse,
  served: ServedRequest,
  fault: Fault | undefined,
): void {
  const whole = Buffer.from(status === 302 ? contents : (fault?.body ?? contents));
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const ranged = match !== null && "accept-ranges" in headers && fault?.ignoreRange !== true;
  const start = ranged ? Number(match[1]) : 0;
  const end = ranged && match[2] ? Math.min(Number(match[2]) + 1, whole.byteLength) : whole.byteLength;
  const outside = ranged && start >= end;
  const body = outside ? Buffer.alloc(0) : whole.subarray(start, end);
  served.status = outside ? 416 : ranged ? 206 : status;
  const contentRange = outside ? `bytes */${whole.byteLength}` : `bytes ${start}-${end - 1}/${whole.byteLength}`;
  response.writeHead(served.status, {
    ...(fault?.chunked ? {} : { "content-length": body.byteLength }),
    ...headers,
    ...(ranged ? { "content-range": contentRange } : {}),
    // As the hub and its storage do, for pages of other origins.
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "content-range, link, x-error-code, x-error-message",
    ...fault?.headers,
  });
  response.flushHeaders();
  const limit = request.method === "HEAD" ? 0 : (fault?.cutAfter ?? fault?.stallAfter ?? body.byteLength);
  served.bodyBytes = Math.min(limit, body.byteLength);
  if (request.method === "HEAD" || limit >= body.byteLength) {
    response.end(body.subarray(0, served.bodyBytes));
    return;
  }
  response.write(body.subarray(0, limit), async () => {
    if (fault?.cutAfter === undefined) return;
    // A client drops what it has not read yet when the connection ends. It runs in this process: turns of the event loop
    // are what it needs to read, and a busy machine only makes them longer.
    for (let turn = 0; turn < 50; turn++) await wait(4);
    response.destroy();
  });
}

function takeFault(faults: Fault[], at: "hub" | "cdn", path: string): Fault | undefined {
  const index = faults.findIndex((fault) => (fault.at ?? at) === at && (fault.path?.test(path) ?? true));
  const fault = faults[index];
  if (fault === undefined) return undefined;
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults.splice(index, 1);
  return fault;
}

async function readFiles(files: Files): Promise<[path: string, bytes: Uint8Array][]> {
  if (typeof files !== "string") {
    return Object.entries(files).map(([path, contents]) => [path, Buffer.from(contents)]);
  }
  const entries = await readdir(files, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.path, entry.name));
  return Promise.all(
    paths
      .sort()
      .map(
        async (path): Promise<[string, Uint8Array]> => [
          path.slice(join(files, "/").length).replaceAll("\\", "/"),
          await readFile(path),
        ],
      ),
  );
}

function hash(algorithm: "sha1" | "sha256", ...parts: Uint8Array[]): string {
  const digest = createHash(algorithm);
  for (const part of parts) digest.update(part);
  return digest.digest("hex");
}

async function listen(server: Server, host: string): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}
