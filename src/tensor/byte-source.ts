import { InputError } from "../errors.js";

/** Random access to the bytes of one file, wherever it lies: disk, memory, the network. */
export interface ByteSource {
  /** Path or URL, as error messages show it. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * @param into bytes that may be filled and returned, for who reads a large file piece by piece and keeps none of them
   * @throws InputError if [offset, offset + length) is not inside the file
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
}

/**
 * Runs work whose length the files of a folder decide, such as the patterns of a tokenizer, and ends it after some time.
 * @returns what the work does; undefined if it was ended
 */
export type EndedAfter = <Result>(milliseconds: number, work: () => Result) => { result: Result } | undefined;

/** The files of one checkpoint or data set, by name relative to its root. */
export interface Folder {
  readonly name: string;
  /** How work that its files make long is ended, where that can be done: a page's worker is ended from outside. */
  readonly endedAfter?: EndedAfter | undefined;
  /** @returns undefined if there is no such file. */
  open(fileName: string): Promise<ByteSource | undefined>;
}

/** @throws InputError if the range is not inside the source. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > source.size
  ) {
    throw new InputError(
      source.name,
      `bytes ${offset} to ${offset + length} are outside the file (${source.size} bytes)`,
    );
  }
}

/** A byte source over bytes already in memory. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.byteLength,
    async read(offset, length) {
      checkRange(source, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
  return source;
}

/** All bytes of a file of bounded length. @throws InputError if it is longer */
export function wholeFile(source: ByteSource, maxBytes: number): Promise<Uint8Array> {
  if (source.size > maxBytes) {
    throw new InputError(source.name, `is ${source.size} bytes long, above the limit of ${maxBytes}`);
  }
  return source.read(0, source.size);
}
