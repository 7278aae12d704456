import { effect } from "@preact/signals";
import type { ExplorerView } from "./view.js";

/** Has the page kept for times without a network, once a text is read: by then nothing else is waiting to be fetched. */
export function keepOnceRead(view: ExplorerView): void {
  if (!("serviceWorker" in navigator)) return;
  const stop = effect(() => {
    if (!view.state.value?.text?.complete) return;
    // A page that cannot be kept is the same page.
    navigator.serviceWorker.register(new URL("service-worker.js", document.baseURI)).catch(() => {});
    queueMicrotask(() => stop());
  });
}
