import type { ExplorerLink, Message } from "../explore/protocol.js";

/** The explorer in a worker of the page: messages are cloned as they are. */
export function workerLink(worker: Worker): ExplorerLink {
  return {
    send: (action) => worker.postMessage(action),
    subscribe(listener) {
      const listen = ({ data }: MessageEvent<Message>) => listener(data);
      worker.addEventListener("message", listen);
      // It tells all that there is when it is asked for the first time.
      worker.postMessage({ type: "subscribe" });
      return () => worker.removeEventListener("message", listen);
    },
  };
}
