import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultRetryPolicy, type RetryPolicy } from "../../src/hub/transfer/retry.js";
import type { HubEnvironment } from "../../src/node/hub/environment.js";
import { type HubServer, startHubServer } from "./hub-server.js";

/** A hub of one's own with an empty cache, and patience that takes no time. */
export interface HubSession {
  readonly hub: HubServer;
  readonly folder: string;
  readonly environment: HubEnvironment;
  readonly retry: RetryPolicy;
  /** Milliseconds of each wait before another attempt. */
  readonly waits: number[];
  close(): Promise<void>;
}

export async function openHubSession(): Promise<HubSession> {
  const hub = await startHubServer();
  const folder = await mkdtemp(join(tmpdir(), "unembed-hub-"));
  const waits: number[] = [];
  return {
    hub,
    folder,
    waits,
    environment: {
      endpoint: hub.endpoint,
      token: undefined,
      cacheFolder: join(folder, "hub"),
      assetsFolder: join(folder, "assets"),
      offline: false,
    },
    retry: {
      ...defaultRetryPolicy,
      longestSilence: 2000,
      async sleep(milliseconds, signal) {
        signal?.throwIfAborted();
        waits.push(milliseconds);
      },
    },
    async close() {
      await hub.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Bytes that compress badly and differ everywhere. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
