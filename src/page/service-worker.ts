// The service worker of the static page: after the first load it answers from what it has kept, so that the page opens without a
// network. scripts/site.js writes the list of files before it; their version is the name of the cache.

/** TypeScript's library of service workers cannot be had beside the one of pages: as much of it as is used. */
interface KeepingWorker {
  readonly kept: { readonly version: string; readonly files: readonly string[] };
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: WaitingEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: AskedEvent) => void): void;
}
interface WaitingEvent {
  waitUntil(done: Promise<unknown>): void;
}
interface AskedEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const worker = self as unknown as KeepingWorker;
const { version, files } = worker.kept;
const { scope } = worker.registration;
/** Sites of one host have caches in common. */
const prefix = `unembed ${scope} `;
const name = prefix + version;
const known = new Set(files.map((file) => new URL(file, scope).href));

worker.addEventListener("install", (event) => {
  // A newer version waits until no page of the old one is open: their files do not mix.
  event.waitUntil(caches.open(name).then((cache) => cache.addAll([...known])));
});

worker.addEventListener("activate", (event) => {
  const tidy = async () => {
    const old = (await caches.keys()).filter((key) => key.startsWith(prefix) && key !== name);
    await Promise.all(old.map((key) => caches.delete(key)));
    await worker.clients.claim();
  };
  event.waitUntil(tidy());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = request.url.replace(/[?#].*$/, "").replace(/\/$/, "/index.html");
  if (request.method !== "GET" || !known.has(address)) return;
  event.respondWith(caches.match(address, { cacheName: name }).then((kept) => kept ?? fetch(request)));
});
