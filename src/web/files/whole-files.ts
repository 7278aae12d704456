import { InputError } from "../../errors.js";

/**
 * Files of the page's own host, each fetched whole by a plain request, which the browser's cache and a service worker answer again.
 * @param onBytes told of the bytes that are there, and of how many where the host says so for all files
 * @throws InputError naming the file that cannot be had
 */
export async function wholeFiles(
  addresses: readonly URL[],
  signal: AbortSignal,
  onBytes: (done: number, total: number | null) => void,
): Promise<File[]> {
  const answers = await Promise.all(addresses.map((address) => answerOf(address, signal)));
  const lengths = answers.map(({ headers }) => lengthOf(headers));
  const total = lengths.every((length) => length !== null) ? lengths.reduce((sum, length) => sum + length, 0) : null;
  let done = 0;
  return Promise.all(
    answers.map(async (answer, i) => {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      const reader = answer.body!.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        parts.push(new Uint8Array(next.value));
        done += next.value.length;
        onBytes(done, total);
      }
      return new File(parts, addresses[i]!.pathname.split("/").at(-1)!);
    }),
  );
}

async function answerOf(address: URL, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(address, { signal }).catch((error: Error) => {
    if (signal.aborted) throw error;
    throw new InputError(address.href, "cannot be fetched: is the connection lost?", { cause: error });
  });
  if (answer.ok && answer.body !== null) return answer;
  throw new InputError(address.href, `cannot be fetched: ${address.host} answers with status ${answer.status}`);
}

/** Bytes of a file as it is; compressed ones have another length on their way. */
function lengthOf(headers: Headers): number | null {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? null : Number(length);
}
