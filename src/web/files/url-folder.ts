import { InputError } from "../../errors.js";
import { statusError } from "../../hub/transfer/answer-status.js";
import { contentRange } from "../../hub/transfer/content-range.js";
import { type Connection, type Exchange, exchange, readAnswer } from "../../hub/transfer/exchange.js";
import { withRetries } from "../../hub/transfer/retry.js";
import { bytesSource, type Folder } from "../../tensor/byte-source.js";
import type { PartStore } from "./part-store.js";
import { type PartedSource, partedSource } from "./parted-source.js";

/** Files of weights, which are fetched in parts and kept; all else is small and fetched whole. */
const inParts = /\.(?:safetensors|bin|gguf|onnx|data)$/i;

/** Statuses by which static hosts say that there is no such file; storages answer 403 where nobody may list them. */
const absent = [403, 404, 410];

/** A folder of any web server, by its address; large files by range requests. */
export function urlFolder(
  base: URL,
  connection: Connection,
  store: PartStore,
  onBytes: (file: PartedSource, count: number) => void,
): Folder {
  const opened = new Map<string, Promise<Awaited<ReturnType<Folder["open"]>>>>();
  const open = async (fileName: string) => {
    const address = new URL(fileName.split("/").map(encodeURIComponent).join("/"), base).href;
    if (!inParts.test(fileName)) return wholeFileAt(address, connection);
    const found = await probe(address, connection);
    if (found === undefined) return undefined;
    const source: PartedSource = partedSource(
      { name: address, address, ...found, options: { connection } },
      store,
      (count) => onBytes(source, count),
    );
    return source;
  };
  return {
    name: base.href,
    open(fileName) {
      const source = opened.get(fileName) ?? open(fileName);
      opened.set(fileName, source);
      return source;
    },
  };
}

async function wholeFileAt(address: string, connection: Connection) {
  const bytes = await withRetries(address, connection.retry, connection.signal, async () => {
    const answer = await exchange(connection, address, address);
    return isFile(connection, address, answer) ? readAnswer(address, answer) : undefined;
  });
  return bytes && bytesSource(address, bytes);
}

/** Size and version of a file, from the answer to a request for its first byte. @returns undefined if there is none */
async function probe(address: string, connection: Connection): Promise<{ size: number; version: string } | undefined> {
  return withRetries(address, connection.retry, connection.signal, async () => {
    const answer = await exchange(connection, address, address, { range: "bytes=0-0" });
    if (!isFile(connection, address, answer)) return undefined;
    const { status, headers } = answer;
    answer.close();
    const length = headers.get("content-length");
    const size = status === 206 ? contentRange(headers)?.total : length === null ? undefined : Number(length);
    if (size === undefined) throw new InputError(address, `${answer.url.host} does not say how long the file is`);
    return { size, version: `${size} ${headers.get("etag") ?? headers.get("last-modified") ?? ""}` };
  });
}

/** Whether an answer is a file; servers of single pages answer with a page for whatever they do not have. */
function isFile(connection: Connection, address: string, answer: Exchange): boolean {
  const { status, headers } = answer;
  const isPage = /^text\/html/i.test(headers.get("content-type") ?? "");
  if (absent.includes(status) || isPage) {
    answer.close();
    return false;
  }
  if (status !== 200 && status !== 206) throw statusError(connection, answer, address);
  return true;
}
