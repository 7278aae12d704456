import { InputError } from "../../errors.js";
import { type RetryPolicy, Transient, Unreachable } from "./retry.js";

/** What every request to the hub has in common. */
export interface Connection {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal | undefined;
}

/** An answer whose body has not been read yet. Close it, or read its body to the end. */
export interface Exchange {
  readonly status: number;
  readonly headers: Headers;
  /** Where the answer came from, redirects followed. */
  readonly url: URL;
  /** The body as it arrives; can be asked for once. @throws Transient if it is cut or falls silent */
  chunks(): AsyncGenerator<Uint8Array, void>;
  close(): void;
}

/** The hub itself needs two: a renamed repository, then the storage. */
const maxRedirects = 5;

/** Of one answer that is read as a whole: a page of a listing has some hundred KB. */
const maxAnswerBytes = 64 * 2 ** 20;

/**
 * A browser follows redirects itself and hides where they lead; it too takes the token off on the way to another origin. A header
 * of ours there would make it ask every server first whether it may be sent.
 */
const inBrowser = "WorkerGlobalScope" in globalThis || "document" in globalThis;
const ownHeaders: Readonly<Record<string, string>> = inBrowser
  ? {}
  : { "accept-encoding": "identity", "user-agent": "unembedding" };

/**
 * One GET request, redirects followed. The token goes to the endpoint's own origin alone, wherever a redirect leads.
 * @throws Transient if the connection fails in a way that another attempt may not
 */
export async function exchange(
  connection: Connection,
  place: string,
  address: string | URL,
  headers: Readonly<Record<string, string>> = {},
): Promise<Exchange> {
  const watch = watchSilence(connection);
  let url = new URL(address);
  const fail = (error: unknown) => explainFailure(error, place, url, watch, connection.signal);
  try {
    for (let redirects = 0; ; redirects++) {
      watch.start();
      const request = fetch(url, {
        redirect: inBrowser ? "follow" : "manual",
        signal: watch.signal,
        headers: { ...ownHeaders, ...headers, ...authorization(connection, url) },
      });
      const response = await unlessAborted(request, watch.signal);
      watch.stop();
      const next = redirectTarget(place, response, url);
      if (next === undefined) return bodyOf(response, inBrowser ? new URL(response.url) : url, watch, fail);
      // Not waited for: a body whose connection is being aborted may never say that it was cancelled.
      response.body?.cancel().catch(() => {});
      if (redirects === maxRedirects)
        throw new InputError(place, `${url.host} redirects more than ${maxRedirects} times`);
      url = next;
    }
  } catch (error) {
    watch.end();
    throw fail(error);
  }
}

/** The whole body. @throws InputError if it is longer than any answer should be */
export async function readAnswer(place: string, answer: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.chunks()) {
    length += chunk.byteLength;
    if (length > maxAnswerBytes)
      throw new InputError(place, `${answer.url.host} answers with over ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return concatenate(chunks, length);
}

export function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

export function isAtEndpoint({ endpoint }: Pick<Connection, "endpoint">, url: URL): boolean {
  return url.origin === new URL(endpoint).origin;
}

function authorization(connection: Connection, url: URL): Record<string, string> {
  if (connection.token === undefined || !isAtEndpoint(connection, url)) return {};
  return { authorization: `Bearer ${connection.token}` };
}

function redirectTarget(place: string, response: Response, from: URL): URL | undefined {
  const location = response.headers.get("location");
  if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return undefined;
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const secure = target?.protocol === "https:" || (target?.protocol === "http:" && from.protocol === "http:");
  if (target === undefined || !secure) {
    throw new InputError(place, `${from.host} redirects to an address that cannot be followed safely`);
  }
  return target;
}

function bodyOf(response: Response, url: URL, watch: Watch, fail: (error: unknown) => unknown): Exchange {
  return {
    status: response.status,
    headers: response.headers,
    url,
    close: watch.end,
    async *chunks() {
      const reader = response.body?.getReader();
      try {
        while (reader !== undefined) {
          watch.start();
          const { done, value } = await unlessAborted(reader.read(), watch.signal);
          watch.stop();
          if (done) return;
          yield value;
        }
      } catch (error) {
        throw fail(error);
      } finally {
        watch.end();
      }
    },
  };
}

/**
 * What a step of a request comes to, or the signal's reason as soon as it is aborted. The step itself cannot be relied on
 * for that: in Node 20 no read settles after the abort of a body whose last bytes have arrived and were not yet read.
 */
async function unlessAborted<T>(step: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted, step]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

interface Watch {
  readonly signal: AbortSignal;
  /** Whether the server was silent for too long. */
  silent(): boolean;
  start(): void;
  stop(): void;
  /** Drops the connection, if it is still there. */
  end(): void;
}

/** Aborts a request when the caller does, or when nothing arrives for too long while something is waited for. */
function watchSilence({ signal, retry }: Connection): Watch {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let silent = false;
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    silent: () => silent,
    start() {
      timer = setTimeout(() => {
        silent = true;
        controller.abort();
      }, retry.longestSilence);
    },
    stop: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      controller.abort();
    },
  };
}

/** Another attempt would meet them again. */
const permanent: Readonly<Record<string, string>> = {
  ENOTFOUND: "there is no host of that name, or no network",
  ERR_INVALID_URL: "the address is not valid",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed (NODE_EXTRA_CA_CERTS can name a certificate to trust)",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is self-signed (NODE_EXTRA_CA_CERTS can name a certificate to trust)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate cannot be verified (NODE_EXTRA_CA_CERTS can name one to trust)",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate cannot be verified (NODE_EXTRA_CA_CERTS can name one to trust)",
};

const noPage = "cannot be reached: there is no network, or it lets no page of another origin ask";
const transient: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses the connection",
  ECONNRESET: "cut the connection",
  UND_ERR_SOCKET: "cut the connection",
  UND_ERR_CONNECT_TIMEOUT: "does not answer",
  ETIMEDOUT: "does not answer",
  EAI_AGAIN: "could not be looked up",
  // All that Chromium, Firefox and Safari tell a page.
  "Failed to fetch": noPage,
  "NetworkError when attempting to fetch resource.": noPage,
  "Load failed": noPage,
};

function explainFailure(
  error: unknown,
  place: string,
  url: URL,
  watch: Watch,
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof InputError) return error;
  if (watch.silent()) return new Transient(`${url.host} fell silent`, undefined, { cause: error });
  const code = errorCode(error);
  const reason = permanent[code];
  if (reason !== undefined) {
    return new Unreachable(place, `${url.host} cannot be reached: ${reason}`, { cause: error });
  }
  return new Transient(`${url.host} ${transient[code] ?? `cannot be read (${code})`}`, undefined, { cause: error });
}

/** The code of what went wrong underneath, or its message. */
function errorCode(error: unknown): string {
  const { code, cause, message } = error as Error & { code?: unknown };
  if (typeof code === "string") return code;
  return cause instanceof Error ? errorCode(cause) : message;
}
