// The explorer of a static page, in a worker of it; the engine's workers are started from here, and all lie beside each other
// with the embedded model and text (scripts/site.js).
import type { Action } from "../explore/actions.js";
import { createExplorer } from "../explore/explorer.js";
import { pageHost } from "./explore-host.js";

const model = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

const explorer = createExplorer(
  pageHost({
    embedded: {
      name: "tiny-books",
      files: model.map((name) => new URL(`tiny-books/${name}`, self.location.href)),
    },
    texts: { books: new URL("texts/books-fit.txt", self.location.href) },
  }),
);

self.addEventListener("message", ({ data }: MessageEvent<Action | { readonly type: "subscribe" }>) => {
  if (data.type === "subscribe") explorer.subscribe((message) => self.postMessage(message));
  else explorer.send(data);
});
