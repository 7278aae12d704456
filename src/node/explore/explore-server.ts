import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors.js";
import { decodeMessage, encodeMessage } from "../../explore/codec.js";
import type { Explorer } from "../../explore/explorer.js";
import type { FileOffer } from "../../explore/protocol.js";
import { parseAction } from "../../explore/validate-action.js";
import { pageHtml, pagePolicy } from "../../page/page-html.js";
import { pageStyle } from "../../page/page-style.js";

/** What the explorer is served as. */
export interface ServeOptions {
  /** 0 or left out: one that is free. */
  readonly port?: number | undefined;
  /** An address of this machine other than the loopback's: then the page has to be asked for with the token. */
  readonly host?: string | undefined;
}

/** A page that is being served. */
export interface ServedExplorer {
  /** With the token in it where others can reach the server. */
  readonly url: string;
  close(): Promise<void>;
}

/** Characters of an action: a model's files may be in it, in base64. */
const mostBody = 2 ** 29 - 2 ** 20;
/** Files that wait to be fetched by the browser. */
const mostFiles = 8;
/** Milliseconds between signs of life, so that a page that has lost its server knows. */
const lifeMilliseconds = 15_000;
const loopback = ["127.0.0.1", "::1"] as const;
const page = new URL("../../page/", import.meta.url);

/** The page's script and its parts, which the bundler names by what is in them; nothing else of the disk is served. */
const script = /^\/(?:explorer|[\w-]+-[A-Z0-9]{8})\.js$/;

/**
 * Serves an explorer to browsers of this machine: the page, its actions, and what it tells.
 *
 * Whoever asks has to name the server as it is called (against other names that lead here), scripts of other pages are refused
 * by their Origin, and every action carries a token that only the page itself has been given.
 * @throws InputError if the port or the host cannot be used
 */
export async function serveExplorer(
  explorer: Explorer,
  { port = 0, host }: ServeOptions = {},
): Promise<ServedExplorer> {
  const token = randomBytes(24).toString("base64url");
  const files = new Map<string, FileOffer>();
  const servers: Server[] = [];
  const names = new Set<string>();
  const answer = handler({ explorer, token, files, names, open: host === undefined });
  const first = await listen(createServer(answer), host ?? loopback[0], port);
  servers.push(first);
  const { port: taken } = first.address() as AddressInfo;
  if (host === undefined) {
    // The same port of the other loopback address, where there is one and it is free.
    const second = await listen(createServer(answer), loopback[1], taken).catch(() => undefined);
    if (second) servers.push(second);
    for (const name of ["localhost", "127.0.0.1", "[::1]"]) names.add(`${name}:${taken}`);
  } else {
    names.add(`${host.includes(":") ? `[${host}]` : host}:${taken}`);
  }
  const shown = host === undefined ? loopback[0] : host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${taken}/${host === undefined ? "" : `?token=${token}`}`,
    async close() {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? `port ${port} is taken: name another, or none` : `${error.message}`;
      reject(new InputError("explore", why, { cause: error }));
    });
    server.listen(port, host, () => resolve(server));
  });
}

interface Served {
  readonly explorer: Explorer;
  readonly token: string;
  readonly files: Map<string, FileOffer>;
  /** What the server may be called. */
  readonly names: ReadonlySet<string>;
  /** Whether only this machine can reach it: then the page needs no token to be asked for. */
  readonly open: boolean;
}

function handler(served: Served): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answer(served, request, response).catch(() => {
      if (!response.headersSent) refuse(response, 500, "failed");
      else response.destroy();
    });
  };
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { names, token, open } = served;
  const name = request.headers.host;
  if (name === undefined || !names.has(name)) return refuse(response, 421, "not called by its own name");
  const { origin } = request.headers;
  if (origin !== undefined && origin !== `http://${name}`) return refuse(response, 403, "another page asked");
  if (request.headers["sec-fetch-site"] === "cross-site") return refuse(response, 403, "another page asked");
  const url = new URL(request.url ?? "/", `http://${name}`);
  const path = url.pathname;
  const knows = isToken(token, request.headers["x-unembed-token"] ?? url.searchParams.get("token"));
  if (path === "/actions") {
    if (request.method !== "POST") return refuse(response, 405, "POST is wanted");
    return knows ? takeAction(served, request, response) : refuse(response, 403, "the token is missing or wrong");
  }
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, "GET is wanted");
  if (path === "/events")
    return knows ? tell(served, response) : refuse(response, 403, "the token is missing or wrong");
  if (path.startsWith("/files/")) {
    return knows
      ? offer(served, path.slice("/files/".length), response)
      : refuse(response, 403, "the token is missing or wrong");
  }
  if (path === "/") {
    if (!open && !knows) return refuse(response, 403, "ask with the token that was printed");
    return send(response, 200, "text/html; charset=utf-8", pageHtml({ token }));
  }
  if (path === "/explorer.css") return send(response, 200, "text/css; charset=utf-8", pageStyle);
  const content =
    script.test(path) && (await readFile(fileURLToPath(new URL(`.${path}`, page))).catch(() => undefined));
  if (!content) return refuse(response, 404, "there is no such file");
  send(response, 200, "text/javascript; charset=utf-8", content);
}

function isToken(token: string, given: string | readonly string[] | null): boolean {
  if (typeof given !== "string") return false;
  const [a, b] = [Buffer.from(token), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const headers = {
  "content-security-policy": pagePolicy([]),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

function send(response: ServerResponse, status: number, type: string, content: string | Uint8Array): void {
  response.writeHead(status, { ...headers, "content-type": type }).end(content);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  send(response, status, "text/plain; charset=utf-8", `${why}\n`);
}

async function takeAction({ explorer }: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    return refuse(response, 415, "application/json is wanted");
  }
  const body = await bodyOf(request);
  if (body === undefined) return refuse(response, 413, "too long");
  try {
    explorer.send(parseAction(decodeMessage(body)));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return refuse(response, 400, error.message);
  }
  response.writeHead(204, headers).end();
}

/** @returns undefined if it is too long */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > mostBody) return undefined;
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > mostBody) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Server-sent events: all that there is, then what changes. Files are named, and fetched by the browser. */
function tell({ explorer, files }: Served, response: ServerResponse): void {
  response.writeHead(200, { ...headers, "content-type": "text/event-stream" });
  const end = explorer.subscribe((message) => {
    if (message.type !== "file") {
      response.write(`data: ${encodeMessage(message)}\n\n`);
      return;
    }
    const id = randomBytes(12).toString("base64url");
    files.set(id, message.file);
    for (const oldest of files.keys()) {
      if (files.size <= mostFiles) break;
      files.delete(oldest);
    }
    response.write(`event: file\ndata: ${JSON.stringify({ name: message.file.name, id })}\n\n`);
  });
  const life = setInterval(() => response.write(": here\n\n"), lifeMilliseconds);
  response.on("close", () => {
    clearInterval(life);
    end();
  });
}

function offer({ files }: Served, id: string, response: ServerResponse): void {
  const file = files.get(id);
  if (file === undefined) {
    refuse(response, 404, "there is no such file");
    return;
  }
  const name = file.name.replace(/[^\w.-]+/g, "-");
  const disposition = { "content-disposition": `attachment; filename="${name}"` };
  response.writeHead(200, { ...headers, ...disposition, "content-type": "application/octet-stream" });
  for (const part of file.parts) response.write(part);
  response.end();
}
