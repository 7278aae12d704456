import { InputError } from "../../errors.js";
import type { Exchange } from "./exchange.js";
import { Transient } from "./retry.js";

/** Reads parts of a file from a server that sends only whole files: onwards with one request, backwards with another. */
export interface SequentialBody {
  /** Reads on from an answer that has just come. */
  begin(answer: Exchange): void;
  /** Bytes [start, end). @throws InputError if too much would be received for nothing; Transient after a cut */
  read(start: number, end: number): AsyncGenerator<Uint8Array, void>;
  close(): void;
}

interface Cursor {
  readonly answer: Exchange;
  readonly chunks: AsyncGenerator<Uint8Array, void>;
  position: number;
  /** Received, not yet used: starts at `position`. */
  rest: Uint8Array;
}

/**
 * @param open asks for the file from its start
 * @param maxDiscarded bytes that may be received for nothing, all reads together
 * @param onReceived told of every byte that arrives
 */
export function sequentialBody(
  name: string,
  open: () => Promise<Exchange>,
  maxDiscarded: number,
  onReceived: (bytes: number) => void,
): SequentialBody {
  let cursor: Cursor | undefined;
  let discarded = 0;
  /** Ends when the read before has: they share one connection. */
  let turn = Promise.resolve();

  function begin(answer: Exchange): Cursor {
    cursor = { answer, chunks: answer.chunks(), position: 0, rest: new Uint8Array(0) };
    return cursor;
  }

  function close(): void {
    cursor?.answer.close();
    cursor = undefined;
  }

  function checkWaste(waste: number): void {
    const total = discarded + waste;
    if (total <= maxDiscarded) return;
    const problem = `its server ignores range requests: ${total} bytes would be fetched for nothing, above the limit of ${maxDiscarded}`;
    throw new InputError(name, `${problem}; download the whole file instead`);
  }

  async function* read(start: number, end: number): AsyncGenerator<Uint8Array, void> {
    const before = turn;
    let done = () => {};
    turn = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      yield* readAlone(start, end);
    } finally {
      done();
    }
  }

  async function* readAlone(start: number, end: number): AsyncGenerator<Uint8Array, void> {
    if (cursor !== undefined && cursor.position > start) close();
    checkWaste(start - (cursor?.position ?? 0));
    const current = cursor ?? begin(await open());
    try {
      while (current.position < end) {
        if (current.rest.byteLength === 0) {
          const next = await current.chunks.next();
          if (next.done) throw new Transient(`the connection ended at byte ${current.position}`);
          onReceived(next.value.byteLength);
          current.rest = next.value;
        }
        const { rest, position } = current;
        const skip = Math.min(rest.byteLength, Math.max(0, start - position));
        const piece = rest.subarray(skip, Math.max(skip, end - position));
        discarded += skip;
        current.position += skip + piece.byteLength;
        current.rest = rest.subarray(skip + piece.byteLength);
        if (piece.byteLength > 0) yield piece;
      }
    } catch (error) {
      close();
      throw error;
    }
  }

  return { begin, read, close };
}
