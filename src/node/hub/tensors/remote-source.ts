import { InputError } from "../../../errors.js";
import { type ByteSource, checkRange } from "../../../tensor/byte-source.js";
import { type HubSubject, statusError } from "../transfer/answer-status.js";
import { contentRange } from "../transfer/content-range.js";
import { type Connection, concatenate, type Exchange, exchange } from "../transfer/exchange.js";
import { countRetries, defaultRetryPolicy, progressBytes, Transient } from "../transfer/retry.js";
import { sequentialBody } from "../transfer/sequential-body.js";

/** A file behind an HTTP address, of which only what is read is fetched. */
export interface RemoteSource extends ByteSource {
  /** The same bytes as `read` gives, as they arrive. @throws InputError as `read` does */
  stream(offset: number, length: number): AsyncGenerator<Uint8Array, void>;
  /** Bytes of bodies received so far, those that had to be thrown away included. */
  fetchedBytes(): number;
  /** Drops a connection that is still open. */
  close(): void;
}

export interface RemoteOptions {
  /** Default: no token, no signal. */
  connection?: Connection | undefined;
  /** What is asked for, for the messages. Default: the address. */
  subject?: HubSubject | undefined;
  name?: string | undefined;
  /** Length of the file, where it is known; otherwise the first request finds out. */
  size?: number | undefined;
  /** Bytes to fetch with the first request, before anything is asked for. Default: 8 if the size is not known, else 0. */
  firstBytes?: number | undefined;
  /** Called once with one line if the server sends whole files where a range is asked for. */
  onNotice?: ((message: string) => void) | undefined;
  /** Bytes that may be received for nothing from such a server. Default: 1 GiB. */
  maxDiscardedBytes?: number | undefined;
}

/** Statuses of a signed storage address that has expired. */
const expired = [400, 401, 403, 404, 410];

/**
 * Random access to a file behind HTTP, by range requests. Redirects are followed once, and their end is asked directly
 * until it expires. From a server that ignores ranges, the file is read from its start as far as needed, forwards with one request.
 * @throws InputError if the file cannot be had or its length cannot be found out; Unreachable if not for now
 */
export async function openRemoteSource(address: string, options: RemoteOptions = {}): Promise<RemoteSource> {
  const name = options.name ?? address;
  if (!URL.canParse(address)) throw new InputError(name, "is not a web address");
  const connection = options.connection ?? {
    endpoint: new URL(address).origin,
    token: undefined,
    retry: defaultRetryPolicy,
    signal: undefined,
  };
  const subject = options.subject ?? name;
  let size = options.size;
  let resolved: URL | undefined;
  let ranges = true;
  let fetched = 0;

  /** Asks for bytes [start, end), or for all of the file. */
  async function ask(range?: { start: number; end: number }): Promise<Exchange> {
    const headers: Record<string, string> = range ? { range: `bytes=${range.start}-${range.end - 1}` } : {};
    const answer = await exchange(connection, name, resolved ?? address, headers);
    if (answer.status === 200 || answer.status === 206) {
      if (answer.url.href !== new URL(address).href) resolved = answer.url;
      return answer;
    }
    if (resolved !== undefined && expired.includes(answer.status)) {
      resolved = undefined;
      answer.close();
      throw new Transient(`${answer.url.host} answers with status ${answer.status}`, 0);
    }
    if (answer.status === 416) {
      const total = /^bytes \*\/(\d{1,15})$/.exec(answer.headers.get("content-range") ?? "")?.[1];
      if (size === undefined && total === "0") size = 0;
      answer.close();
      if (size !== 0)
        throw new InputError(name, `is shorter than expected: ${answer.url.host} has no byte ${range?.start}`);
      return answer;
    }
    throw statusError(connection, answer, subject);
  }

  function refuse(answer: Exchange, problem: string): InputError {
    answer.close();
    return new InputError(name, `${answer.url.host} ${problem}`);
  }

  function checkSize(answer: Exchange, found: number | undefined): number {
    if (found === undefined) throw refuse(answer, "does not say how long the file is");
    if (size !== undefined && size !== found)
      throw refuse(answer, `has ${found} bytes of it where ${size} are expected`);
    size = found;
    return found;
  }

  async function* partialBody(answer: Exchange, start: number, end: number): AsyncGenerator<Uint8Array, void> {
    const range = contentRange(answer.headers);
    if (range === undefined || range.start !== start || range.end >= end) {
      throw refuse(answer, `sends other bytes than asked for (${answer.headers.get("content-range")})`);
    }
    checkSize(answer, range.total ?? size);
    let left = range.end + 1 - start;
    for await (const chunk of answer.chunks()) {
      fetched += chunk.byteLength;
      if (left <= 0) return;
      yield chunk.subarray(0, left);
      left -= chunk.byteLength;
    }
  }

  function checkWhole(answer: Exchange): Exchange {
    const length = answer.headers.get("content-length");
    const unknown = answer.headers.has("content-encoding") || length === null;
    checkSize(answer, unknown ? size : Number(length));
    return answer;
  }

  const whole = sequentialBody(
    name,
    async () => checkWhole(await ask()),
    options.maxDiscardedBytes ?? 2 ** 30,
    (received) => {
      fetched += received;
    },
  );

  async function open(start: number, end: number): Promise<AsyncGenerator<Uint8Array, void>> {
    if (!ranges) return whole.read(start, end);
    const answer = await ask({ start, end });
    if (answer.status === 206) return partialBody(answer, start, end);
    if (answer.status === 416) return nothing();
    ranges = false;
    whole.begin(checkWhole(answer));
    options.onNotice?.(`${name}: ${answer.url.host} ignores range requests, so more than what is needed is fetched`);
    return whole.read(start, Math.min(end, size ?? end));
  }

  /** @param end may lie beyond the end of a file whose length is not known yet */
  async function* fetchBytes(start: number, end: number): AsyncGenerator<Uint8Array, void> {
    const retries = countRetries(name, connection.retry, connection.signal);
    for (let position = start; position < Math.min(end, size ?? end); ) {
      connection.signal?.throwIfAborted();
      const before = position;
      try {
        for await (const chunk of await open(position, Math.min(end, size ?? end))) {
          position += chunk.byteLength;
          yield chunk;
        }
        if (position < Math.min(end, size ?? end)) throw new Transient(`the connection ended at byte ${position}`);
      } catch (error) {
        if (position - before >= progressBytes) retries.progressed();
        await retries.afterFailure(error);
      }
    }
  }

  const firstBytes = options.firstBytes ?? (size === undefined ? 8 : 0);
  const first = await collect(fetchBytes(0, size === undefined ? Math.max(1, firstBytes) : Math.min(firstBytes, size)));
  if (size === undefined) throw new InputError(name, "its length cannot be found out");
  const source: RemoteSource = {
    name,
    size,
    async read(offset, length) {
      return collect(source.stream(offset, length));
    },
    async *stream(offset, length) {
      checkRange(source, offset, length);
      const known = first.subarray(offset, offset + length);
      if (known.byteLength > 0) yield known;
      yield* fetchBytes(offset + known.byteLength, offset + length);
    },
    fetchedBytes: () => fetched,
    close: whole.close,
  };
  return source;
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}

/** The length is only the server's word: memory is taken as bytes arrive. */
async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.byteLength;
  }
  return concatenate(parts, length);
}
