import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
};

/** A static host of a page and what it needs. */
export interface PageServer {
  readonly address: string;
  /** Paths and ranges asked for, in order. */
  readonly requests: { path: string; range: string | undefined }[];
  close(): Promise<void>;
}

/** @param folders by the first part of the path  @param pages HTML by path */
export async function servePages(
  folders: Readonly<Record<string, string>>,
  pages: Readonly<Record<string, string>>,
): Promise<PageServer> {
  const requests: PageServer["requests"] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://page").pathname);
    requests.push({ path, range: request.headers.range });
    if (Object.hasOwn(pages, path)) return response.setHeader("content-type", "text/html").end(pages[path]);
    const [, first = "", ...rest] = normalize(path).split("/");
    const folder = Object.hasOwn(folders, first) ? folders[first] : undefined;
    sendFile(folder && join(folder, ...rest), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sendFile(file: string | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (file === undefined || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const { size } = statSync(file);
  response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const [start, end] = range ? [Number(range[1]), Math.min(Number(range[2]), size - 1)] : [0, size - 1];
  response.setHeader("content-length", end + 1 - start);
  if (range) response.setHeader("content-range", `bytes ${start}-${end}/${size}`);
  response.writeHead(range ? 206 : 200);
  createReadStream(file, { start, end }).pipe(response);
}
