import { InputError } from "../../errors.js";
import { type ByteSource, checkRange } from "../../tensor/byte-source.js";
import type { HubSubject } from "../transfer/answer-status.js";
import { type Connection, concatenate } from "../transfer/exchange.js";
import { countRetries, defaultRetryPolicy, progressBytes, Transient } from "../transfer/retry.js";
import { sequentialBody } from "../transfer/sequential-body.js";
import { remoteFile } from "./remote-file.js";

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

/** Bytes that may be received for nothing from a server that ignores ranges. */
const defaultDiscardedBytes = 2 ** 30;

/**
 * Random access to a file behind HTTP, by range requests. From a server that ignores ranges, the file is read from its start
 * as far as needed, forwards with one request.
 * @throws InputError if the file cannot be had or its length cannot be found out; Unreachable if not for now
 */
export async function openRemoteSource(address: string, options: RemoteOptions = {}): Promise<RemoteSource> {
  const name = options.name ?? address;
  if (!URL.canParse(address)) throw new InputError(name, "is not a web address");
  const bytes = remoteBytes(address, name, options);
  const firstBytes = options.firstBytes ?? (options.size === undefined ? 8 : 0);
  const wanted = options.size === undefined ? Math.max(1, firstBytes) : Math.min(firstBytes, options.size);
  const first = await collect(bytes.fetch(0, wanted));
  const size = bytes.size();
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
      yield* bytes.fetch(offset + known.byteLength, offset + length);
    },
    fetchedBytes: bytes.fetched,
    close: bytes.close,
  };
  return source;
}

/** Bytes of a remote file in pieces as they arrive, fetched again from where a connection ended. */
function remoteBytes(address: string, name: string, options: RemoteOptions) {
  const connection = options.connection ?? {
    endpoint: new URL(address).origin,
    token: undefined,
    retry: defaultRetryPolicy,
    signal: undefined,
  };
  const { subject = name, maxDiscardedBytes = defaultDiscardedBytes, onNotice } = options;
  let ranges = true;
  let fetched = 0;
  const count = (received: number) => {
    fetched += received;
  };
  const file = remoteFile(address, { connection, subject, name }, options.size, count);
  const whole = sequentialBody(name, async () => file.whole(await file.ask()), maxDiscardedBytes, count);

  async function open(start: number, end: number): Promise<AsyncGenerator<Uint8Array, void>> {
    if (!ranges) return whole.read(start, end);
    const answer = await file.ask({ start, end });
    if (answer.status === 206) return file.part(answer, start, end);
    if (answer.status === 416) return nothing();
    ranges = false;
    whole.begin(file.whole(answer));
    onNotice?.(`${name}: ${answer.url.host} ignores range requests, so more than what is needed is fetched`);
    return whole.read(start, Math.min(end, file.size ?? end));
  }

  return {
    size: () => file.size,
    fetched: () => fetched,
    close: whole.close,
    /** @param end may lie beyond the end of a file whose length is not known yet */
    async *fetch(start: number, end: number): AsyncGenerator<Uint8Array, void> {
      const retries = countRetries(name, connection.retry, connection.signal);
      const last = () => Math.min(end, file.size ?? end);
      for (let position = start; position < last(); ) {
        connection.signal?.throwIfAborted();
        const before = position;
        try {
          for await (const chunk of await open(position, last())) {
            position += chunk.byteLength;
            yield chunk;
          }
          if (position < last()) throw new Transient(`the connection ended at byte ${position}`);
        } catch (error) {
          if (position - before >= progressBytes) retries.progressed();
          await retries.afterFailure(error);
        }
      }
    },
  };
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
