import { InputError } from "../../errors.js";

/** How patient to be with a server. */
export interface RetryPolicy {
  /** Failures in a row, without anything received in between, before giving up. */
  readonly attempts: number;
  /** Before the second attempt, in milliseconds; doubled before each one after it. */
  readonly firstWait: number;
  /** Longest wait that a server may ask for (`Retry-After`), in milliseconds. */
  readonly longestWait: number;
  /** Longest silence of a server, in milliseconds, before the connection counts as lost. */
  readonly longestSilence: number;
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Waits 0.5 to 8 s, about 16 s together, unless the server says how long; the hub's limits are counted over 5 minutes. */
export const defaultRetryPolicy: RetryPolicy = {
  attempts: 6,
  firstWait: 500,
  longestWait: 330_000,
  longestSilence: 60_000,
  async sleep(milliseconds, signal) {
    signal?.throwIfAborted();
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal?.addEventListener("abort", end, { once: true });
    });
    signal?.throwIfAborted();
  },
};

/** A failure that another attempt may not meet: a cut connection, a busy server. */
export class Transient extends Error {
  constructor(
    message: string,
    /** What the server asked for, in milliseconds. */
    readonly retryAfter?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The network or the server could not be had; what is in the cache still can. */
export class Unreachable extends InputError {}

/** Received before failures are counted anew: a server that cuts every connection early is given up on. */
export const progressBytes = 2 ** 20;

export interface Retries {
  /** Something of use arrived: failures are counted from the beginning. */
  progressed(): void;
  /** Waits until the next attempt. @throws what cannot be tried again, and Unreachable when enough was tried */
  afterFailure(error: unknown): Promise<void>;
}

/** @param place what the messages name, such as the file that is being fetched */
export function countRetries(place: string, policy: RetryPolicy, signal: AbortSignal | undefined): Retries {
  let failures = 0;
  return {
    progressed() {
      failures = 0;
    },
    async afterFailure(error) {
      if (!(error instanceof Transient)) throw error;
      signal?.throwIfAborted();
      failures += 1;
      if (failures >= policy.attempts) {
        const often = failures === 1 ? "" : ` (tried ${failures} times)`;
        throw new Unreachable(place, `${error.message}${often}: try again later`, {
          cause: error,
        });
      }
      // Spread out, so that many processes that failed together do not come back together.
      const usual = policy.firstWait * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
      const milliseconds = error.retryAfter ?? usual;
      if (milliseconds > policy.longestWait) {
        const seconds = Math.ceil(milliseconds / 1000);
        throw new Unreachable(place, `${error.message} and asks to wait ${seconds} s: try again after that`, {
          cause: error,
        });
      }
      await policy.sleep(milliseconds, signal);
    },
  };
}

/** The first result of an attempt that does not fail with Transient. */
export async function withRetries<T>(
  place: string,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const retries = countRetries(place, policy, signal);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await retries.afterFailure(error);
    }
  }
}
