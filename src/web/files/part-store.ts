import { InputError } from "../../errors.js";
import { gigabytes } from "../engine/page-memory.js";

/** Where parts of files are kept from one visit to the next. */
export interface PartStore {
  /** Whether it outlives the page. */
  readonly lasting: boolean;
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Whether the part is there, without reading it. */
  has(key: string): Promise<boolean>;
  /** @throws InputError if the browser has no room for it */
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

const cacheName = "unembed-files-1";

/** The browser's cache of this site; memory where a page has none, such as one that is not served by https or localhost. */
export async function openPartStore(): Promise<PartStore> {
  const cache = "caches" in globalThis ? await caches.open(cacheName).catch(() => undefined) : undefined;
  return cache === undefined ? inMemory() : inCache(cache);
}

/** The cache wants addresses; none is ever asked for this one. */
const address = (key: string) => `https://unembed.invalid/${encodeURIComponent(key)}`;

function inCache(cache: Cache): PartStore {
  return {
    lasting: true,
    async get(key) {
      const found = await cache.match(address(key));
      return found === undefined ? undefined : new Uint8Array(await found.arrayBuffer());
    },
    has: async (key) => (await cache.match(address(key))) !== undefined,
    async put(key, bytes) {
      try {
        await cache.put(address(key), new Response(bytes));
      } catch (error) {
        throw isFull(error) ? noRoom(key, error) : error;
      }
    },
  };
}

function isFull(error: unknown): boolean {
  return error instanceof Error && (error.name === "QuotaExceededError" || /quota/i.test(error.message));
}

function noRoom(key: string, cause?: unknown): InputError {
  const name = key.replace(/#.*$/, "");
  return new InputError(name, "the browser has no room to keep it: free some of this site's storage, or of the disk", {
    ...(cause === undefined ? {} : { cause }),
  });
}

/** @throws InputError with both sizes, if the browser says that it will not keep so many more bytes */
export async function requireStorage(name: string, bytes: number): Promise<void> {
  const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  if (quota === undefined || usage === undefined || bytes <= quota - usage) return;
  const room = `needs ${gigabytes(bytes)} GB, and the browser gives this site ${gigabytes(quota - usage)} GB more`;
  throw new InputError(name, `${room}: free some of this site's storage, or of the disk`);
}

function inMemory(): PartStore {
  const parts = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    lasting: false,
    get: async (key) => parts.get(key),
    has: async (key) => parts.has(key),
    async put(key, bytes) {
      parts.set(key, bytes);
    },
  };
}
