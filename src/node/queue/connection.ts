import type { Redis } from "ioredis";
import { InputError } from "../../errors.js";

/* BullMQ (https://docs.bullmq.io) over Redis or Valkey. Both packages are optional: they are imported when a queue is asked for. */

/** What is imported of the two packages. */
export interface QueueLibrary {
  readonly bullmq: typeof import("bullmq");
  readonly ioredis: Pick<typeof import("ioredis"), "Redis">;
}

/** A server that holds the queue, as a URL says it. */
export interface QueueServer {
  /** Without user and password, for messages and records. */
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

/** Where a password may be given instead of in the URL, which other users of the machine can see. */
const passwordVariable = "UNEMBED_QUEUE_PASSWORD";

/** Milliseconds until a server that does not answer is given up, at the start; later it is waited for. */
const answerMilliseconds = 5_000;
const defaultPort = 6379;

/**
 * @param url redis://[[user]:password@]host[:port][/db], or rediss:// for TLS
 * @throws InputError if it is no such URL; its message does not hold the password
 */
export function parseQueueUrl(url: string, environment: NodeJS.ProcessEnv = process.env): QueueServer {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const db = /^\/?(\d{0,4})$/.exec(parsed?.pathname ?? "")?.[1];
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === "" || db === undefined) {
    throw new InputError("--queue", "is no address of a server: redis://host:6379 is wanted, or rediss:// for TLS");
  }
  const port = parsed.port === "" ? defaultPort : Number(parsed.port);
  const text = (value: string) => (value === "" ? undefined : decodeURIComponent(value));
  return {
    shown: `${parsed.protocol}//${parsed.hostname}:${port}${db === "" ? "" : `/${db}`}`,
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    db: Number(db),
    username: text(parsed.username),
    password: text(parsed.password) ?? environment[passwordVariable],
    tls: parsed.protocol === "rediss:",
  };
}

/** Text with the passwords of addresses in it hidden. */
export function withoutPasswords(text: string): string {
  return text.replace(/(rediss?:\/\/)[^\s/@]*@/gi, "$1***@");
}

/** @throws InputError saying how to install what is missing */
export async function queueLibrary(): Promise<QueueLibrary> {
  try {
    const [bullmq, ioredis] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { bullmq, ioredis };
  } catch (error) {
    throw new InputError("--queue", "needs two packages more: npm install bullmq@6 ioredis@5", { cause: error });
  }
}

/** Opened connections, which are closed together. */
export interface QueueConnections {
  /** One more connection to the server: each part of BullMQ wants its own. */
  open(): Redis;
  close(): Promise<void>;
}

/**
 * Connects, and makes sure that the server answers. Connections that break later are made again.
 * @param onNotice told when the server is lost, and when it is back
 * @throws InputError if it cannot be reached, or refuses the password
 */
export async function connect(
  { ioredis }: QueueLibrary,
  server: QueueServer,
  onNotice: (message: string) => void,
): Promise<QueueConnections> {
  const { host, port, db, username, password, tls } = server;
  const opened: Redis[] = [];
  const state = { lost: false, ready: false };
  const open = () => {
    const connection = new ioredis.Redis({
      ...{ host, port, db, username, password },
      ...(tls && { tls: { servername: host } }),
      // What BullMQ asks for: commands wait for a server that is being started again.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => (state.ready ? Math.min(2_000, 50 * times) : null),
    });
    connection.on("error", () => {
      if (state.ready && !state.lost) onNotice(`${server.shown} does not answer: waiting for it`);
      state.lost = true;
    });
    connection.on("ready", () => {
      if (state.ready && state.lost) onNotice(`${server.shown} is back`);
      state.lost = false;
    });
    opened.push(connection);
    return connection;
  };
  const close = async () => {
    for (const connection of opened) connection.disconnect();
  };
  const first = open();
  try {
    await answered(first);
    state.ready = true;
  } catch (error) {
    await close();
    throw new InputError("--queue", `${server.shown} cannot be used: ${reason(error)}`, { cause: error });
  }
  return { open, close };
}

async function answered(connection: Redis): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const failure = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it does not answer")), answerMilliseconds);
    connection.once("error", reject);
  });
  try {
    await Promise.race([connection.ping(), failure]);
  } finally {
    clearTimeout(timer);
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "there is no such host";
  // The server's own words, such as WRONGPASS or NOAUTH; they do not repeat what was sent.
  return message.slice(0, 200);
}
