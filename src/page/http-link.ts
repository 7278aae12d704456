import { signal } from "@preact/signals";
import type { Action, DroppedFile } from "../explore/actions.js";
import { decodeMessage, encodeMessage } from "../explore/codec.js";
import type { ExplorerLink, Message } from "../explore/protocol.js";
import { followLink } from "./save-file.js";

/** Whether the server has been lost. */
export const lost = signal(false);

/** The explorer behind a server: actions are posted one after the other, messages come as server-sent events. */
export function httpLink(token: string): ExplorerLink {
  const query = `token=${encodeURIComponent(token)}`;
  // Actions must arrive in their order; of slider positions that wait only the newest is sent.
  const waiting: Action[] = [];
  let sending = false;
  const flush = async () => {
    if (sending) return;
    sending = true;
    for (let action = waiting.shift(); action !== undefined; action = waiting.shift()) {
      try {
        const body = encodeMessage(await withBytes(action));
        await fetch("actions", {
          method: "POST",
          headers: { "content-type": "application/json", "x-unembed-token": token },
          body,
        });
      } catch {
        lost.value = true;
      }
    }
    sending = false;
  };
  return {
    send(action) {
      if (action.type === "slide" || action.type === "slide-shrink") {
        const same = waiting.findIndex(({ type }) => type === action.type);
        if (same >= 0) waiting.splice(same, 1);
      }
      waiting.push(action);
      void flush();
    },
    subscribe(listener) {
      const events = new EventSource(`events?${query}`);
      events.addEventListener("open", () => {
        lost.value = false;
      });
      events.addEventListener("error", () => {
        lost.value = true;
      });
      events.addEventListener("message", ({ data }) => listener(decodeMessage(data) as Message));
      // A file stays with the server until the browser fetches it.
      events.addEventListener("file", ({ data }) => {
        const { name, id } = JSON.parse(data) as { name: string; id: string };
        followLink(name, `files/${id}?${query}`);
      });
      return () => events.close();
    },
  };
}

/** An action with the bytes of its files in it. */
async function withBytes(action: Action): Promise<Action> {
  const read = async (file: DroppedFile): Promise<DroppedFile> =>
    file.content instanceof Blob ? { ...file, content: new Uint8Array(await file.content.arrayBuffer()) } : file;
  if (action.type === "drop") return { ...action, files: await Promise.all(action.files.map(read)) };
  if (action.type === "load-plan") return { ...action, file: await read(action.file) };
  return action;
}
