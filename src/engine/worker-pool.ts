import type { Session, Tensor, Tensors } from "./engine.js";

/** What every engine asks of a worker that holds sessions; how one is loaded is each engine's own. */
export type SessionRequest = { session: number } & ({ kind: "run"; feeds: Tensors } | { kind: "release" });

/** A worker's answer to the request of that number. */
export interface WorkerReply {
  id: number;
  outputs?: Record<string, Tensors[string]>;
  error?: string;
}

/** A thread that holds sessions. */
export interface SessionWorker {
  /** @param given buffers that the worker takes over */
  ask(request: SessionRequest, given?: ArrayBuffer[]): Promise<Tensors>;
}

/**
 * Weights up to this size (as float32) are loaded once per worker, so that each worker computes its own windows on one
 * core: measured twice as fast for small models as sharing every matrix product between cores. Above it the copies
 * would cost more memory than the speed is worth, and large products share well.
 */
export const maxReplicatedBytes = 64 * 2 ** 20;

/** Hands each run to a worker that has none of this session's under way. */
export function pooledSession(session: number, workers: readonly SessionWorker[]): Session {
  const free = [...workers];
  const waiting: ((worker: SessionWorker) => void)[] = [];
  return {
    concurrency: workers.length,
    async run(feeds, handOver = []) {
      const worker = free.pop() ?? (await new Promise<SessionWorker>((resolve) => waiting.push(resolve)));
      try {
        const copies = copiesOfParts(feeds);
        const given = [...handOver.map((name) => feeds[name]!), ...Object.values(copies)];
        return await worker.ask(
          { kind: "run", session, feeds: { ...feeds, ...copies } },
          given.map(({ data }) => data.buffer as ArrayBuffer),
        );
      } finally {
        const next = waiting.shift();
        if (next === undefined) free.push(worker);
        else next(worker);
      }
    },
    async release() {
      await Promise.all(workers.map((worker) => worker.ask({ kind: "release", session })));
    },
  };
}

/** Of feeds that are a part of a larger array copies of their own: a message would take the whole array with each. */
function copiesOfParts(feeds: Tensors): Tensors {
  const parts = Object.entries(feeds).filter(
    ([, { data }]) => data.buffer instanceof ArrayBuffer && data.byteLength < data.buffer.byteLength,
  );
  return Object.fromEntries(parts.map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() } as Tensor]));
}

/** Requests to a worker that it has not answered yet. */
export interface OpenRequests {
  readonly count: number;
  /** @param send given the request's number @returns what the worker answers */
  open(send: (id: number) => void): Promise<Tensors>;
  settle(reply: WorkerReply): void;
  /** Fails all that are open, and those still to come. */
  fail(error: Error): void;
}

export function openRequests(): OpenRequests {
  const pending = new Map<number, { resolve(outputs: Tensors): void; reject(error: Error): void }>();
  let nextId = 0;
  let dead: Error | undefined;
  return {
    get count() {
      return pending.size;
    },
    open(send) {
      if (dead !== undefined) return Promise.reject(dead);
      const id = nextId++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        send(id);
      });
    },
    settle({ id, outputs, error }) {
      const waiting = pending.get(id);
      pending.delete(id);
      if (error === undefined) waiting?.resolve(outputs ?? {});
      else waiting?.reject(new Error(error));
    },
    fail(error) {
      dead ??= error;
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    },
  };
}
