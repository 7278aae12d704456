// A folder as a static host serves it: to this machine alone, with an ETag and an hour in the browser's cache.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { createGzip } from "node:zlib";

const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".txt": "text/plain; charset=utf-8",
};
const compressed = /^(?:text|application\/(?:json|wasm)|image\/svg)/;

/** @param {string} folder  @param {number} port 0 for a free one  @returns {Promise<import("node:http").Server>} listening */
export async function serveFolder(folder, port) {
  const server = createServer((request, response) => {
    const file = fileOf(folder, request.url ?? "/");
    if (file === undefined) {
      response.writeHead(404, { "content-type": "text/plain" }).end("there is no such file\n");
      return;
    }
    const { size, mtimeMs } = statSync(file);
    const etag = `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`;
    const type = types[extname(file)] ?? "application/octet-stream";
    const headers = { "content-type": type, etag, "cache-control": "max-age=3600", vary: "accept-encoding" };
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, headers).end();
      return;
    }
    const zip = compressed.test(type) && /\bgzip\b/.test(String(request.headers["accept-encoding"]));
    response.writeHead(200, { ...headers, ...(zip ? { "content-encoding": "gzip" } : { "content-length": size }) });
    if (request.method === "HEAD") response.end();
    else if (zip) createReadStream(file).pipe(createGzip()).pipe(response);
    else createReadStream(file).pipe(response);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

/** @returns undefined if there is none, or if it is outside the folder */
function fileOf(folder, address) {
  try {
    const path = decodeURIComponent(new URL(address, "http://site").pathname);
    const file = normalize(join(folder, path.endsWith("/") ? `${path}index.html` : path));
    return file.startsWith(folder + sep) && statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
