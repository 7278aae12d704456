import { effect } from "@preact/signals";
import { render } from "preact";
import { firstView } from "../explore/first-view.js";
import { App } from "./app.js";
import { httpLink } from "./http-link.js";
import { keepOnceRead } from "./keep-page.js";
import { saveFile } from "./save-file.js";
import { followSystemTheme } from "./theme.js";
import { createView } from "./view.js";
import { workerLink } from "./worker-link.js";

/** Milliseconds without a change until the address bar follows: browsers bound how often it may. */
const pause = 300;

/** A served page carries the token of its server; one by itself computes in a worker. */
const token = document.querySelector<HTMLMetaElement>('meta[name="unembed-token"]')?.content;
const link =
  token === undefined
    ? workerLink(new Worker(new URL("explore-worker.js", import.meta.url), { type: "module" }))
    : httpLink(token);

followSystemTheme();
const view = createView(link, saveFile);
render(
  <App view={view} documentation={token === undefined ? "docs/index.html" : undefined} />,
  document.querySelector("#explorer")!,
);

const asked = location.hash.slice(1);
let shown = asked;
if (asked !== "") view.send({ type: "load-address", address: asked });
else if (token === undefined) for (const action of firstView("books")) view.send(action);

if (token === undefined) keepOnceRead(view);

let timer: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const address = view.state.value?.address;
  if (address === undefined || address === shown) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    shown = address;
    history.replaceState(null, "", `${location.pathname}${location.search}${address === "" ? "" : `#${address}`}`);
  }, pause);
});
addEventListener("hashchange", () => {
  const address = location.hash.slice(1);
  if (address !== shown) view.send({ type: "load-address", address });
});

addEventListener("keydown", (event) => {
  const inField = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
  if (inField || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  event.preventDefault();
  view.send({ type: event.shiftKey ? "redo" : "undo" });
});
