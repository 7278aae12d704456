import { InputError } from "../../errors.js";
import { type HubSubject, statusError } from "../transfer/answer-status.js";
import { contentRange } from "../transfer/content-range.js";
import { type Connection, type Exchange, exchange } from "../transfer/exchange.js";
import { Transient } from "../transfer/retry.js";

/** A file behind an HTTP address, asked for one answer at a time. */
export interface RemoteFile {
  /** undefined until an answer tells it. */
  readonly size: number | undefined;
  /**
   * Asks for bytes [start, end), or for all of the file. Redirects are followed once, and their end is asked directly until
   * it expires. @returns an answer with status 206 (that part), 200 (all of it) or 416 (none: the file is empty)
   */
  ask(range?: { readonly start: number; readonly end: number }): Promise<Exchange>;
  /** The bytes of a 206 that answers [start, end). @throws InputError if it holds others */
  part(answer: Exchange, start: number, end: number): AsyncGenerator<Uint8Array, void>;
  /** A 200 as it came. @throws InputError if it does not fit the length that is known */
  whole(answer: Exchange): Exchange;
}

/** Statuses of a signed storage address that has expired. */
const expired = [400, 401, 403, 404, 410];

/** @param knownSize length of the file, where it is known  @param onBytes told how many bytes of each part arrived */
export function remoteFile(
  address: string,
  { connection, subject, name }: { connection: Connection; subject: HubSubject | string; name: string },
  knownSize: number | undefined,
  onBytes: (count: number) => void,
): RemoteFile {
  let size = knownSize;
  let resolved: URL | undefined;

  function refuse(answer: Exchange, problem: string): InputError {
    answer.close();
    return new InputError(name, `${answer.url.host} ${problem}`);
  }

  function checkSize(answer: Exchange, found: number | undefined): void {
    if (found === undefined) throw refuse(answer, "does not say how long the file is");
    if (size !== undefined && size !== found) {
      throw refuse(answer, `has ${found} bytes of it where ${size} are expected`);
    }
    size = found;
  }

  function checkEmpty(answer: Exchange, start: number | undefined): Exchange {
    const total = /^bytes \*\/(\d{1,15})$/.exec(answer.headers.get("content-range") ?? "")?.[1];
    if (size === undefined && total === "0") size = 0;
    answer.close();
    if (size === 0) return answer;
    throw new InputError(name, `is shorter than expected: ${answer.url.host} has no byte ${start}`);
  }

  return {
    get size() {
      return size;
    },
    async ask(range) {
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
      if (answer.status === 416) return checkEmpty(answer, range?.start);
      throw statusError(connection, answer, subject);
    },
    async *part(answer, start, end) {
      const range = contentRange(answer.headers);
      if (range === undefined || range.start !== start || range.end >= end) {
        throw refuse(answer, `sends other bytes than asked for (${answer.headers.get("content-range")})`);
      }
      checkSize(answer, range.total ?? size);
      let left = range.end + 1 - start;
      for await (const chunk of answer.chunks()) {
        onBytes(chunk.byteLength);
        if (left <= 0) return;
        yield chunk.subarray(0, left);
        left -= chunk.byteLength;
      }
    },
    whole(answer) {
      const length = answer.headers.get("content-length");
      const unknown = answer.headers.has("content-encoding") || length === null;
      checkSize(answer, unknown ? size : Number(length));
      return answer;
    },
  };
}
