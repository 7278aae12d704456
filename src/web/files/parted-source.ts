import { openRemoteSource, type RemoteOptions } from "../../hub/remote/remote-source.js";
import { inParallel } from "../../hub/transfer/in-parallel.js";
import { type ByteSource, checkRange } from "../../tensor/byte-source.js";
import type { PartStore } from "./part-store.js";

/** A file of a server, to be kept in parts. */
export interface RemoteFileOfKnownSize {
  /** As messages show it. */
  readonly name: string;
  readonly address: string;
  readonly size: number;
  /** Changes when the file's bytes do: parts are kept under it. */
  readonly version: string;
  readonly options: RemoteOptions;
}

/** A file that is fetched part by part, each once. */
export interface PartedSource extends ByteSource {
  /** Bytes of parts that are kept already. */
  keptBytes(): Promise<number>;
  /** Fetches all parts that are missing, several at a time; those that came before a failure are kept. */
  fetchAll(signal: AbortSignal | undefined): Promise<void>;
}

/** Fetched at once, and lost when a page is closed in between. */
const partBytes = 4 * 2 ** 20;
const parallelParts = 4;

/** @param onBytes told of bytes that are there now: as they arrive, or at once where a part was kept by an earlier visit */
export function partedSource(
  { name, address, size, version, options }: RemoteFileOfKnownSize,
  store: PartStore,
  onBytes: (count: number) => void,
): PartedSource {
  const count = Math.ceil(size / partBytes);
  const key = (part: number) => `${name}#${version}/${partBytes}/${part}`;
  const lengthOf = (part: number) => Math.min(partBytes, size - part * partBytes);
  const told = new Set<number>();
  const underWay = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  let remote: ReturnType<typeof openRemoteSource> | undefined;
  let recent: { part: number; bytes: Uint8Array<ArrayBuffer> } | undefined;

  const tell = (part: number) => {
    if (!told.has(part)) onBytes(lengthOf(part));
    told.add(part);
  };

  async function fetchPart(part: number): Promise<Uint8Array<ArrayBuffer>> {
    remote ??= openRemoteSource(address, { ...options, name, size });
    const source = await remote;
    const bytes = new Uint8Array(await source.read(part * partBytes, lengthOf(part)));
    await store.put(key(part), bytes);
    return bytes;
  }

  async function keptPart(part: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const kept = await store.get(key(part));
    return kept?.byteLength === lengthOf(part) ? kept : undefined;
  }

  function readPart(part: number): Promise<Uint8Array<ArrayBuffer>> {
    const waiting = underWay.get(part);
    if (waiting !== undefined) return waiting;
    const reading = (async () => {
      const bytes = (recent?.part === part ? recent.bytes : await keptPart(part)) ?? (await fetchPart(part));
      recent = { part, bytes };
      tell(part);
      return bytes;
    })().finally(() => underWay.delete(part));
    underWay.set(part, reading);
    return reading;
  }

  const source: PartedSource = {
    name,
    size,
    async read(offset, length, into = new Uint8Array(length)) {
      checkRange(source, offset, length);
      const bytes = into.subarray(0, length);
      for (let at = offset; at < offset + length; ) {
        const part = Math.floor(at / partBytes);
        const start = at - part * partBytes;
        const piece = (await readPart(part)).subarray(start, start + offset + length - at);
        bytes.set(piece, at - offset);
        at += piece.byteLength;
      }
      return bytes;
    },
    async keptBytes() {
      const kept = await Promise.all(
        Array.from({ length: count }, async (_, part) => ((await store.has(key(part))) ? lengthOf(part) : 0)),
      );
      return kept.reduce((sum, bytes) => sum + bytes, 0);
    },
    async fetchAll(signal) {
      await inParallel([...Array(count).keys()], parallelParts, signal, async (part) => {
        if (await store.has(key(part))) tell(part);
        else await readPart(part);
      });
    },
  };
  return source;
}
